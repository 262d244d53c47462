//! Where a listing goes on. A caller sees it as one word and sends it back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{EngineError, EngineResult};

/// The place as a word.
pub(crate) fn write(place: &impl Serialize) -> EngineResult<String> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).map_err(EngineError::internal)?))
}

/// Reads what [`write()`] gave for a place of the same kind.
pub(crate) fn read<T: DeserializeOwned>(word: &str) -> EngineResult<T> {
    let bytes = URL_SAFE_NO_PAD.decode(word).map_err(|_| malformed())?;
    serde_json::from_slice(&bytes).map_err(|_| malformed())
}

/// What a word is that no page gave.
pub(crate) fn malformed() -> EngineError {
    EngineError::invalid(
        "malformed_cursor",
        "the cursor is none that a page of this listing gave: begin again without one",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_and_other_words_do_not() {
        let place = (12, "Person/é".to_owned());
        assert_eq!(
            read::<(i32, String)>(&write(&place).unwrap()).unwrap(),
            place
        );
        for bad in ["", "x", "e30", "ÄÖ"] {
            let error = read::<(i32, String)>(bad).unwrap_err();
            let EngineError::Invalid { code, .. } = error else {
                panic!("{error:?}");
            };
            assert_eq!(code, "malformed_cursor");
        }
    }
}
