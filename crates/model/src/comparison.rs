//! Two sorted sequences side by side.

use std::cmp::Ordering;
use std::iter::Peekable;

/// What stands at one place of two sequences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pair<T> {
    /// Only the first one has it.
    First(T),
    /// Only the second one has it.
    Second(T),
    /// Both have it, each its own.
    Both(T, T),
}

/// Joins two sequences that go up by what `order` compares, in the same order. One element of each
/// is held; the first error ends it.
pub fn side_by_side<T, E, A, B, F>(
    first: A,
    second: B,
    order: F,
) -> impl Iterator<Item = Result<Pair<T>, E>>
where
    A: Iterator<Item = Result<T, E>>,
    B: Iterator<Item = Result<T, E>>,
    F: Fn(&T, &T) -> Ordering,
{
    Joined {
        first: first.peekable(),
        second: second.peekable(),
        order,
        ended: false,
    }
}

struct Joined<A: Iterator, B: Iterator, F> {
    first: Peekable<A>,
    second: Peekable<B>,
    order: F,
    ended: bool,
}

impl<T, E, A, B, F> Joined<A, B, F>
where
    A: Iterator<Item = Result<T, E>>,
    B: Iterator<Item = Result<T, E>>,
    F: Fn(&T, &T) -> Ordering,
{
    fn pair(&mut self) -> Result<Option<Pair<T>>, E> {
        let order = match (self.first.peek(), self.second.peek()) {
            (None, None) => return Ok(None),
            (Some(Ok(first)), Some(Ok(second))) => (self.order)(first, second),
            (Some(Err(_)), _) | (Some(_), None) => Ordering::Less,
            (_, Some(Err(_))) | (None, Some(_)) => Ordering::Greater,
        };
        Ok(match order {
            Ordering::Less => self.first.next().transpose()?.map(Pair::First),
            Ordering::Greater => self.second.next().transpose()?.map(Pair::Second),
            Ordering::Equal => {
                let first = self.first.next().transpose()?;
                let second = self.second.next().transpose()?;
                first
                    .zip(second)
                    .map(|(first, second)| Pair::Both(first, second))
            }
        })
    }
}

impl<T, E, A, B, F> Iterator for Joined<A, B, F>
where
    A: Iterator<Item = Result<T, E>>,
    B: Iterator<Item = Result<T, E>>,
    F: Fn(&T, &T) -> Ordering,
{
    type Item = Result<Pair<T>, E>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let pair = self.pair();
        self.ended = !matches!(pair, Ok(Some(_)));
        pair.transpose()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    type Read = Result<(u8, u8), &'static str>;

    fn joined(first: Vec<Read>, second: Vec<Read>) -> Vec<Result<Pair<(u8, u8)>, &'static str>> {
        let by_key = |one: &(u8, u8), other: &(u8, u8)| one.0.cmp(&other.0);
        side_by_side(first.into_iter(), second.into_iter(), by_key).collect()
    }

    #[test]
    fn an_error_ends_it_where_it_stands() {
        let first = vec![Ok((1, 0)), Err("broken"), Ok((3, 0))];
        assert_eq!(
            joined(first.clone(), vec![Ok((1, 1)), Ok((2, 1))]),
            [Ok(Pair::Both((1, 0), (1, 1))), Err("broken")]
        );
        assert_eq!(
            joined(vec![Ok((1, 1))], first),
            [Ok(Pair::Both((1, 1), (1, 0))), Err("broken")]
        );
    }

    proptest! {
        #[test]
        fn every_element_comes_once_in_order(
            first in prop::collection::btree_map(0..20_u8, any::<u8>(), 0..12),
            second in prop::collection::btree_map(0..20_u8, any::<u8>(), 0..12),
        ) {
            let all = |map: &BTreeMap<u8, u8>| map.iter().map(|(&k, &v)| Ok((k, v))).collect();
            let mut expected = Vec::new();
            for key in 0..20 {
                let of = |map: &BTreeMap<u8, u8>| map.get(&key).map(|&value| (key, value));
                expected.extend(match (of(&first), of(&second)) {
                    (None, None) => None,
                    (Some(one), None) => Some(Ok(Pair::First(one))),
                    (None, Some(other)) => Some(Ok(Pair::Second(other))),
                    (Some(one), Some(other)) => Some(Ok(Pair::Both(one, other))),
                });
            }
            prop_assert_eq!(joined(all(&first), all(&second)), expected);
        }
    }
}
