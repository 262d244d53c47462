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
    /// How many times the yardstick's time the work may take.
    pub(super) ratio_max: f64,
}

impl Comparison {
    /// How many times the yardstick's median the median of the work is.
    pub(super) fn ratio(&self) -> Option<f64> {
        Some(median(&self.work_s)? / median(&self.yardstick_s)?)
    }

    /// Whether the work was as fast as it must be; without a measurement it was not.
    pub(super) fn holds(&self) -> bool {
        self.ratio().is_some_and(|ratio| ratio <= self.ratio_max)
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
        comparisons: vec![Comparison {
            name: "import, all new".to_owned(),
            yardstick: "`ATTACH` and upsert".to_owned(),
            items: 100_000,
            work_s: vec![3.0, 2.0, 2.5],
            wall_s: vec![3.2, 2.2, 2.7],
            yardstick_s: vec![1.0, 1.0, 1.5],
            ratio_max: 3.0,
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
        comparison.ratio_max = 2.5;
        assert!(comparison.holds());
        comparison.ratio_max = 2.4;
        assert!(!comparison.holds());
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
