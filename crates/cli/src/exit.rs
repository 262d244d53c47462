//! How a command ends: an exit code for programs, and for people a sentence with what to do.

use std::process::ExitCode;

use dev2prod_client::ClientError;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// It failed.
    Failed,
    /// What was asked for cannot be done as it was asked.
    Usage,
    /// A plan with conflicts or errors; nothing was changed.
    Refused,
    /// The server refuses the login, the token, or what they may do.
    NotAuthorized,
    /// Nobody answers at the address.
    NotReachable,
    /// Done, and there were changes; only with `--detailed-exitcode`.
    Changes,
    /// The waiting stopped; the operation goes on, or a plan waits for its approval.
    StillGoing,
}

impl Exit {
    /// The code of the process. These are part of the interface: pipelines decide by them.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::NotAuthorized => 4,
            Self::NotReachable => 5,
            Self::Changes => 6,
            Self::StillGoing => 7,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// What a command answers.
pub(crate) type CommandResult = Result<Exit, CommandError>;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) struct CommandError {
    kind: Kind,
    error: anyhow::Error,
    hints: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Failed,
    Usage,
    Refused,
    NotAuthorized,
    NotReachable,
    StillGoing,
    /// Whoever read the output has seen enough.
    BrokenPipe,
}

impl CommandError {
    /// It failed, for a reason that no other kind is made for.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, anyhow::Error::msg(message.into()))
    }

    /// The caller has to ask otherwise.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, anyhow::Error::msg(message.into()))
    }

    /// A plan stands in the way; nothing was changed.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::new(Kind::Refused, anyhow::Error::msg(message.into()))
    }

    /// The waiting was stopped; what was started goes on.
    pub(crate) fn still_going(message: impl Into<String>) -> Self {
        Self::new(Kind::StillGoing, anyhow::Error::msg(message.into()))
    }

    /// Adds what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    fn new(kind: Kind, error: anyhow::Error) -> Self {
        Self {
            kind,
            error,
            hints: Vec::new(),
        }
    }

    /// What is wrong, with its causes.
    pub(crate) fn message(&self) -> String {
        format!("{:#}", self.error)
    }

    /// How the process ends.
    pub(crate) fn exit(&self) -> Exit {
        match self.kind {
            Kind::Failed => Exit::Failed,
            Kind::Usage => Exit::Usage,
            Kind::Refused => Exit::Refused,
            Kind::NotAuthorized => Exit::NotAuthorized,
            Kind::NotReachable => Exit::NotReachable,
            Kind::StillGoing => Exit::StillGoing,
            Kind::BrokenPipe => Exit::Done,
        }
    }

    /// Tells people on standard error.
    pub(crate) fn show(&self) {
        let prefix = match self.kind {
            Kind::BrokenPipe => return,
            Kind::StillGoing => "note",
            Kind::Failed
            | Kind::Usage
            | Kind::Refused
            | Kind::NotAuthorized
            | Kind::NotReachable => "error",
        };
        use owo_colors::OwoColorize;
        anstream::eprintln!("{}: {:#}", prefix.red().bold(), self.error);
        for hint in &self.hints {
            anstream::eprintln!("{}: {hint}", "hint".cyan().bold());
        }
    }
}

impl From<ClientError> for CommandError {
    fn from(error: ClientError) -> Self {
        Self::from(anyhow::Error::new(error))
    }
}

impl From<std::io::Error> for CommandError {
    fn from(error: std::io::Error) -> Self {
        Self::from(anyhow::Error::new(error))
    }
}

impl From<anyhow::Error> for CommandError {
    fn from(error: anyhow::Error) -> Self {
        let kind = error.chain().find_map(|cause| {
            cause
                .downcast_ref::<ClientError>()
                .map(kind_of)
                .or_else(|| cause.downcast_ref::<std::io::Error>().and_then(broken_pipe))
        });
        let hint = error
            .chain()
            .find_map(|cause| cause.downcast_ref().and_then(hint_of));
        let mut error = Self::new(kind.unwrap_or(Kind::Failed), error);
        error.hints.extend(hint);
        error
    }
}

fn kind_of(error: &ClientError) -> Kind {
    match error {
        ClientError::Usage(_) => Kind::Usage,
        ClientError::NotReachable { .. } => Kind::NotReachable,
        ClientError::NotAuthorized { .. } => Kind::NotAuthorized,
        ClientError::StillGoing { .. } => Kind::StillGoing,
        ClientError::Problem { .. }
        | ClientError::Unexpected { .. }
        | ClientError::BrokenOff { .. }
        | ClientError::Local { .. } => Kind::Failed,
    }
}

fn hint_of(error: &ClientError) -> Option<String> {
    let hint = match error {
        ClientError::NotReachable { .. } => {
            "check the address, the network, HTTPS_PROXY and --ca-file"
        }
        ClientError::NotAuthorized {
            tenant: Some(tenant),
            ..
        } => {
            return Some(format!(
                "check the login and password, and that tenant {tenant} is one that the login may use"
            ));
        }
        ClientError::NotAuthorized { problem, .. } if problem.status == 401 => {
            "check the login and password, or the token"
        }
        ClientError::StillGoing { id, .. } => {
            return Some(format!(
                "'dev2prod status {id} --follow' waits for it again"
            ));
        }
        ClientError::NotAuthorized { .. }
        | ClientError::Usage(_)
        | ClientError::Problem { .. }
        | ClientError::Unexpected { .. }
        | ClientError::BrokenOff { .. }
        | ClientError::Local { .. } => return None,
    };
    Some(hint.to_owned())
}

fn broken_pipe(error: &std::io::Error) -> Option<Kind> {
    (error.kind() == std::io::ErrorKind::BrokenPipe).then_some(Kind::BrokenPipe)
}
