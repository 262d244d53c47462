//! Stopping an operation.

use std::time::Duration;

use dev2prod_model::access::{OperationCancel, Scope};
use dev2prod_model::id::OperationId;
use dev2prod_model::operation::{Kind, Operation};
use tokio::time::Instant;

use super::view::{find, unknown_operation};
use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::ports::CancelAsked;

/// How long the answer waits for the work to have stopped; then it says that it goes on for now.
const STOPPED: Duration = Duration::from_millis(900);
/// How often it is looked, while another process may do the work.
const LOOK: Duration = Duration::from_millis(50);

/// Has an operation of one of these kinds stopped, and answers how it stands: canceled, or still
/// running for a moment, but then it ends as canceled and in no other way. What is over is refused:
/// nothing is taken back.
pub async fn cancel(
    engine: &Engine,
    scope: &Scope<OperationCancel>,
    id: OperationId,
    kinds: &[Kind],
) -> EngineResult<Operation> {
    find(engine, &scope.narrow(), id, kinds).await?;
    let mut moves = engine.moves();
    let asked = engine
        .store()
        .ask_cancel(scope, id, engine.now_ms())
        .await?
        .ok_or_else(|| unknown_operation(id, kinds))?;
    let mut operation = match asked {
        CancelAsked::Accepted(operation) => operation,
        CancelAsked::Over(operation) => return Err(over(&operation)),
    };
    tracing::info!(
        operation.id = %id, tenant = %scope.tenant(), login = %scope.login(),
        "operation {id} is to be canceled"
    );
    engine.note_move();
    if operation.status().is_over() {
        // An import that waited for it may start.
        engine.wake();
        engine.wake_housekeeping();
        return Ok(operation);
    }
    let until = Instant::now() + STOPPED;
    while !operation.status().is_over() && Instant::now() < until {
        // Whether it moved or not is what is looked at next.
        let _ = tokio::time::timeout(LOOK, moves.changed()).await;
        operation = find(engine, &scope.narrow(), id, kinds).await?;
    }
    Ok(operation)
}

fn over(operation: &Operation) -> EngineError {
    let (id, status) = (operation.id, operation.status().name());
    EngineError::Conflict {
        code: "already_over",
        message: format!("operation {id} is over and cannot be canceled: it is {status}"),
    }
}
