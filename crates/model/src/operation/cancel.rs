//! Stopping an operation: asked for by a caller, carried out by whoever works on it.

use super::{InvalidTransition, Operation, Report, State};
use crate::id::Login;

impl Operation {
    /// Asks for it to be stopped. What nobody works on is canceled by that; what is `held` by a
    /// worker notes who asked, and cannot end otherwise from then on. Whoever asks first is noted.
    pub fn ask_cancel(
        mut self,
        who: &Login,
        held: bool,
        now_ms: i64,
    ) -> Result<Self, InvalidTransition> {
        self.state = match self.state {
            State::Pending => State::Canceled {
                server: None,
                started_ms: None,
                report: None,
                by: who.clone(),
            },
            State::Running {
                server,
                started_ms,
                progress,
                cancel_by,
            } => {
                let by = cancel_by.unwrap_or_else(|| who.clone());
                if held {
                    State::Running {
                        server,
                        started_ms,
                        progress,
                        cancel_by: Some(by),
                    }
                } else {
                    State::Canceled {
                        server: Some(server),
                        started_ms: Some(started_ms),
                        report: None,
                        by,
                    }
                }
            }
            State::Ended { .. } | State::Canceled { .. } => {
                return Err(self.refuse("be canceled"));
            }
        };
        self.updated_ms = now_ms;
        Ok(self)
    }

    /// Ends the work of an operation that was asked to be stopped, with nothing changed.
    pub fn cancel(
        mut self,
        report: Option<Report>,
        now_ms: i64,
    ) -> Result<Self, InvalidTransition> {
        let State::Running {
            server,
            started_ms,
            cancel_by: Some(by),
            ..
        } = self.state
        else {
            return Err(self.refuse("be canceled unasked"));
        };
        self.state = State::Canceled {
            server: Some(server),
            started_ms: Some(started_ms),
            report,
            by,
        };
        self.updated_ms = now_ms;
        Ok(self)
    }

    /// Whether somebody asked for the work to be stopped, and it still goes on.
    pub fn is_to_be_canceled(&self) -> bool {
        matches!(
            self.state,
            State::Running {
                cancel_by: Some(_),
                ..
            }
        )
    }
}
