//! Why a text is no catalogue.

/// What is wrong with a catalogue, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// It is not TOML of the right form.
    #[error("the catalogue cannot be read: {0}")]
    Toml(String),
    /// A value makes no sense.
    #[error("the catalogue is wrong at {path}: {message}")]
    Invalid {
        /// Where, as a path such as `section[3].reference[1].pattern`.
        path: String,
        /// What is wrong.
        message: String,
    },
}

impl CatalogueError {
    pub(super) fn invalid(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid {
            path: path.into(),
            message: message.into(),
        }
    }
}
