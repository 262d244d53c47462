//! From where a request came, for the history and the audit trail.

use std::net::IpAddr;

/// From where a request came, as far as that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// The address of the peer.
    pub address: Option<IpAddr>,
    agent: Option<String>,
}

impl Sender {
    /// The longest agent that is kept, in characters; a longer one is cut.
    pub const AGENT_CHARS_MAX: usize = 200;

    /// A sender at this address, with the program that it says it is. What a caller writes there is
    /// cut, and has no control characters.
    pub fn new(address: Option<IpAddr>, agent: Option<&str>) -> Self {
        let agent = agent.map(|agent| {
            let plain = agent.chars().filter(|c| !c.is_control());
            let agent: String = plain.take(Self::AGENT_CHARS_MAX).collect();
            agent.trim().to_owned()
        });
        Self {
            address,
            agent: agent.filter(|agent| !agent.is_empty()),
        }
    }

    /// The program that it says it is.
    pub fn agent(&self) -> Option<&str> {
        self.agent.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_caller_says_of_itself_is_cut() {
        let agent = |text: &str| Sender::new(None, Some(text)).agent().map(str::to_owned);
        assert_eq!(
            agent("curl/8.5\r\n\u{1b}[1m").as_deref(),
            Some("curl/8.5[1m")
        );
        assert_eq!(agent(" \t"), None);
        for chars in [Sender::AGENT_CHARS_MAX, Sender::AGENT_CHARS_MAX + 1] {
            let kept = agent(&"é".repeat(chars)).unwrap();
            assert_eq!(kept.chars().count(), Sender::AGENT_CHARS_MAX);
        }
        assert_eq!(Sender::new(None, None), Sender::default());
    }
}
