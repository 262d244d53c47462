//! What a tenant asks of imports into it: a reviewed plan, a second pair of eyes, the right time,
//! a known origin.
//!
//! Everything is off by default, since a plain import must work. Deliberately absent: who may change
//! these, and where an import is refused or waits by them.

mod window;

use serde::{Deserialize, Serialize};

pub use window::{ClockTime, Day, ImportWindow, InvalidWindow, Outside, Span, UtcOffset};

/// What a tenant asks of imports into it. A member that is not known is refused, for it was meant
/// to keep an import from doing something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct TenantSettings {
    /// Whether an import has to carry out the plan of a dry run.
    pub require_plan: bool,
    /// Whether that plan has to be approved by somebody other than who made the dry run.
    pub require_approval: bool,
    /// When imports may begin; `None`: at any time.
    pub import_window: Option<ImportWindow>,
    /// Whether only bundles that a trusted server signed are imported.
    pub only_trusted_origins: bool,
}

/// What the time says about an import that is about to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It may begin.
    Now,
    /// It waits until this moment, in epoch milliseconds.
    Wait(i64),
    /// It is refused; the window opens at this moment, in epoch milliseconds.
    Refuse(i64),
}

impl TenantSettings {
    /// Whether an import has to carry out the plan of a dry run: an approval is of one.
    pub fn needs_plan(&self) -> bool {
        self.require_plan || self.require_approval
    }

    /// Whether an import may begin at this moment, in epoch milliseconds. Dry runs always may, and
    /// what began in time is not cut off.
    pub fn moment(&self, now_ms: i64) -> Moment {
        let Some(window) = &self.import_window else {
            return Moment::Now;
        };
        let opens_ms = window.opens_ms(now_ms);
        match window.outside() {
            _ if opens_ms <= now_ms => Moment::Now,
            Outside::Wait => Moment::Wait(opens_ms),
            Outside::Refuse => Moment::Refuse(opens_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_asked_by_default() {
        let settings: TenantSettings = serde_json::from_str("{}").unwrap();
        assert_eq!(settings, TenantSettings::default());
        assert!(!settings.needs_plan());
        assert!(!settings.only_trusted_origins);
        assert_eq!(settings.moment(0), Moment::Now);
    }

    #[test]
    fn an_approval_is_of_a_plan() {
        let settings: TenantSettings = serde_json::from_str(r#"{"RequireApproval":true}"#).unwrap();
        assert!(settings.needs_plan());
    }

    #[test]
    fn settings_read_back_as_they_are_written() {
        let text = r#"{"RequirePlan":true,"RequireApproval":false,"ImportWindow":{"Times":[{"Day":"Saturday","From":"22:00","To":"24:00"}],"UtcOffset":"+02:00","Outside":"Refuse"},"OnlyTrustedOrigins":true}"#;
        let settings: TenantSettings = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&settings).unwrap(), text);
    }

    #[test]
    fn a_mistyped_member_is_refused() {
        let error = serde_json::from_str::<TenantSettings>(r#"{"RequireAproval":true}"#);
        assert!(error.unwrap_err().to_string().contains("RequireAproval"));
    }

    #[test]
    fn outside_the_window_an_import_waits_or_is_refused() {
        let moment = |outside, now_ms| {
            let window = format!(
                r#"{{"ImportWindow":{{"Times":[{{"Day":"Thursday","From":"01:00","To":"02:00"}}],"Outside":"{outside}"}}}}"#
            );
            let settings: TenantSettings = serde_json::from_str(&window).unwrap();
            settings.moment(now_ms)
        };
        const HOUR_MS: i64 = 3_600_000;
        // The epoch began on a Thursday.
        for (outside, closed) in [
            ("Wait", Moment::Wait(HOUR_MS)),
            ("Refuse", Moment::Refuse(HOUR_MS)),
        ] {
            assert_eq!(moment(outside, 0), closed);
            assert_eq!(moment(outside, HOUR_MS), Moment::Now);
            assert_eq!(moment(outside, 2 * HOUR_MS - 1), Moment::Now);
            assert_ne!(moment(outside, 2 * HOUR_MS), Moment::Now);
        }
    }
}
