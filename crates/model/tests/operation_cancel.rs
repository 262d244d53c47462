//! An operation that was asked to be stopped ends as canceled and in no other way.

#![expect(clippy::unwrap_used, reason = "a helper of a test may end it")]

use dev2prod_model::id::{Login, OperationId, PackageId};
use dev2prod_model::operation::{ExportReport, Failure, Operation, Report, Request, State, Status};
use dev2prod_model::sender::Sender;
use proptest::prelude::*;

fn login(name: &str) -> Login {
    name.parse().unwrap()
}

fn pending() -> Operation {
    Operation {
        id: OperationId::new(1_000, [7; 8]),
        tenant: "1".parse().unwrap(),
        request: Request::Export {
            package: PackageId(1),
        },
        created_by: login("ann"),
        sender: Sender::default(),
        created_ms: 1_000,
        updated_ms: 1_000,
        state: State::Pending,
    }
}

#[derive(Clone, Debug)]
enum Step {
    Start,
    Complete,
    Fail,
    Ask { who: &'static str, held: bool },
    Cancel,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Start),
        Just(Step::Complete),
        Just(Step::Fail),
        (prop_oneof![Just("bob"), Just("eve")], any::<bool>())
            .prop_map(|(who, held)| Step::Ask { who, held }),
        Just(Step::Cancel),
    ]
}

fn take(operation: Operation, step: &Step, now_ms: i64) -> Option<Operation> {
    let report = Report::Export(ExportReport::default());
    let failure = Failure {
        code: "c".to_owned(),
        message: "m".to_owned(),
        hint: "h".to_owned(),
    };
    let taken = match step {
        Step::Start => operation.start("s".to_owned(), now_ms),
        Step::Complete => operation.complete(report, now_ms),
        Step::Fail => operation.fail(failure, None, now_ms),
        Step::Ask { who, held } => operation.ask_cancel(&login(who), *held, now_ms),
        Step::Cancel => operation.cancel(None, now_ms),
    };
    taken.ok()
}

proptest! {
    #[test]
    fn whoever_asked_first_is_whose_wish_is_done(steps in proptest::collection::vec(step(), 0..12)) {
        let mut operation = pending();
        let mut asked: Option<&str> = None;
        for (now_ms, step) in (2_000..).zip(&steps) {
            let before = operation.clone();
            let Some(after) = take(operation.clone(), step, now_ms) else {
                if let Step::Ask { .. } = step {
                    prop_assert!(before.status().is_over(), "it is refused only if it is over");
                }
                continue;
            };
            prop_assert!(!before.status().is_over(), "what is over stays as it is");
            prop_assert_eq!(after.updated_ms, now_ms);
            if let Step::Ask { who, .. } = step {
                asked = asked.or(Some(who));
            }
            match (&after.state, asked) {
                (State::Canceled { by, started_ms, .. }, Some(first)) => {
                    prop_assert_eq!(by.as_str(), first);
                    prop_assert_eq!(*started_ms, before.started_ms());
                }
                (State::Running { cancel_by, .. }, asked) => {
                    prop_assert_eq!(cancel_by.as_ref().map(Login::as_str), asked);
                }
                (State::Ended { .. }, asked) => prop_assert_eq!(asked, None),
                (State::Canceled { .. }, None) => prop_assert!(false, "canceled unasked"),
                (State::Pending, _) => prop_assert!(false, "nothing goes back"),
            }
            operation = after;
        }
        let over = matches!(operation.state, State::Ended { .. } | State::Canceled { .. });
        prop_assert_eq!(operation.status().is_over(), over);
    }
}

#[test]
fn what_is_not_held_is_canceled_by_being_asked() {
    let asked = pending().ask_cancel(&login("bob"), false, 2_000).unwrap();
    assert_eq!(asked.status(), Status::Canceled);
    assert_eq!(asked.started_ms(), None);
    let refused = asked.ask_cancel(&login("bob"), false, 3_000).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "operation 000000010707070707070707 is CANCELED and cannot be canceled"
    );
}
