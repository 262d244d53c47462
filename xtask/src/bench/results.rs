//! What a benchmark finds out, as `docs/benchmarks.json` keeps it.

use serde::{Deserialize, Serialize};

use super::machine::Machine;
use super::statistics::median;

/// All of one run of `cargo xtask bench`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Results {
    /// Day of the run, as YYYY-MM-DD.
    pub(super) date: String,
    /// Version of the product that was measured.
    pub(super) version: String,
    pub(super) machine: Machine,
    /// How many programs wanted to run just before, in the mean of a minute: other work shows here.
    pub(super) load: f64,
    /// Where the content came from.
    pub(super) content: String,
    /// What repeats the run.
    pub(super) command: String,
    /// Speed against a yardstick that was measured in turn with it.
    pub(super) comparisons: Vec<Comparison>,
    /// Memory, and other things that are measured once.
    pub(super) levels: Vec<Level>,
}

/// The product and a yardstick doing the same work, in turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Comparison {
    pub(super) name: String,
    pub(super) yardstick: String,
    pub(super) items: u64,
    /// Seconds of work as the server reports them, one for each round.
    pub(super) work_s: Vec<f64>,
    /// Seconds that the client waited, one for each round.
    pub(super) wall_s: Vec<f64>,
    /// Seconds of the yardstick, one for each round.
    pub(super) yardstick_s: Vec<f64>,
    /// How many times the yardstick's time the work may take, where that is required.
    pub(super) ratio_max: Option<f64>,
}

impl Comparison {
    /// How many times the yardstick's median the median of the work is.
    pub(super) fn ratio(&self) -> Option<f64> {
        Some(median(&self.work_s)? / median(&self.yardstick_s)?)
    }

    /// The ratio of each round.
    pub(super) fn ratios(&self) -> Vec<f64> {
        self.work_s
            .iter()
            .zip(&self.yardstick_s)
            .map(|(work, yardstick)| work / yardstick)
            .collect()
    }

    /// Whether the work was as fast as it must be; without a measurement it was not.
    pub(super) fn holds(&self) -> bool {
        self.ratio_max
            .is_none_or(|most| self.ratio().is_some_and(|ratio| ratio <= most))
    }
}

/// One measured value, with a limit where there is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Level {
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) value: f64,
    /// The value must be below this.
    pub(super) limit: Option<f64>,
}

impl Level {
    /// A value without a limit.
    pub(super) fn plain(name: String, unit: &str, value: f64) -> Self {
        Self {
            name,
            unit: unit.to_owned(),
            value,
            limit: None,
        }
    }

    /// A value that must be below a limit.
    pub(super) fn limited(name: String, unit: &str, value: f64, limit: f64) -> Self {
        Self {
            limit: Some(limit),
            ..Self::plain(name, unit, value)
        }
    }

    /// Whether the value is below its limit.
    pub(super) fn holds(&self) -> bool {
        self.limit.is_none_or(|limit| self.value < limit)
    }
}

#[cfg(test)]
pub(super) fn example() -> Results {
    Results {
        date: "2030-01-31".to_owned(),
        version: "0.1.0".to_owned(),
        machine: Machine {
            cpu: "Example 9000".to_owned(),
            cores: 2,
            memory_mib: 24_000,
            kernel: "6.1.0".to_owned(),
        },
        load: 0.25,
        content: "the generator built in".to_owned(),
        command: "cargo xtask bench".to_owned(),
        comparisons: vec![Comparison {
            name: "import, all new".to_owned(),
            yardstick: "`ATTACH` and upsert".to_owned(),
            items: 100_000,
            work_s: vec![3.0, 2.0, 2.5],
            wall_s: vec![3.2, 2.2, 2.7],
            yardstick_s: vec![1.0, 1.0, 1.5],
            ratio_max: Some(3.0),
        }],
        levels: vec![
            Level {
                name: "idle memory".to_owned(),
                unit: "MiB".to_owned(),
                value: 40.0,
                limit: Some(40.0),
            },
            Level {
                name: "start to ready".to_owned(),
                unit: "ms".to_owned(),
                value: 31.4,
                limit: None,
            },
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_one_of_medians_and_may_be_just_at_its_maximum() {
        let mut comparison = example().comparisons.remove(0);
        assert_eq!(comparison.ratio(), Some(2.5));
        assert!(comparison.holds());
        comparison.ratio_max = Some(2.5);
        assert!(comparison.holds());
        comparison.ratio_max = Some(2.4);
        assert!(!comparison.holds());
        comparison.ratio_max = None;
        assert!(comparison.holds());
        comparison.ratio_max = Some(3.0);
        comparison.work_s.clear();
        assert!(!comparison.holds());
    }

    #[test]
    fn a_level_must_be_below_its_limit() {
        let [idle, start] = &example().levels[..] else {
            panic!("the example has two")
        };
        assert!(!idle.holds());
        assert!(start.holds());
    }
}
