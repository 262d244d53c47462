//! The server is killed at moments that chance picks, again and again on one folder.

use std::time::{Duration, Instant};

use dev2prod_client::{Client, Outcome};

use super::content;
use super::leftovers::{age_blobs, assert_none};
use super::world::{
    DEVELOPMENT, PRODUCTION, World, listing, operations, replace, settled, write_own,
};

const KILLS: u32 = 100;
/// Numbers of which every release changes all items.
const NUMBERS: u32 = 100;
/// The last of the releases that are promoted undisturbed.
const MEASURED: u32 = 2;

/// Fractions from 0 to 1, the same for the same seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bits = u32::try_from((z ^ (z >> 31)) >> 32).expect("32 bits");
        f64::from(bits) / f64::from(u32::MAX)
    }
}

async fn release(client: &Client, number: u32) -> String {
    let development = client.in_tenant(DEVELOPMENT);
    replace(
        &development,
        content::lines(number..number + NUMBERS, |_| number),
    )
    .await;
    listing(&development).await
}

/// How often a promotion stood where when the server was killed.
#[derive(Debug, Default)]
struct Tally {
    exporting: u32,
    importing: u32,
    ended: u32,
}

impl Tally {
    fn kills(&self) -> u32 {
        self.exporting + self.importing + self.ended
    }

    fn note(&mut self, ended: bool, import_accepted: bool) {
        match (ended, import_accepted) {
            (true, _) => self.ended += 1,
            (false, true) => self.importing += 1,
            (false, false) => self.exporting += 1,
        }
    }
}

/// Promotes undisturbed; the longest that it took, and what production holds then.
async fn measured(world: &World, client: &Client) -> (Duration, String) {
    let mut longest = Duration::ZERO;
    let mut held = String::new();
    for number in 0..=MEASURED {
        held = release(client, number).await;
        let promotion = world.promotion(format!("release {number}"));
        let began = Instant::now();
        promotion.go_on(client).await.unwrap();
        longest = longest.max(began.elapsed());
    }
    (longest, held)
}

/// `DEV2PROD_TEST_SEED` picks other moments.
fn seed() -> u64 {
    let given = std::env::var("DEV2PROD_TEST_SEED").ok();
    given.map_or(20_250_127, |text| {
        text.parse().expect("the seed is a number")
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_that_is_killed_at_any_moment_ends_by_itself() {
    let seed = seed();
    println!("seed {seed}");
    let mut chance = Chance(seed);
    let (world, mut server) = World::new().await;
    let mut client = world.client(&server);
    let (mut typical, mut before) = measured(&world, &client).await;
    println!("undisturbed, a promotion takes {typical:?} at most");

    let mut tally = Tally::default();
    let mut number = MEASURED;
    while tally.kills() < KILLS {
        number += 1;
        let after = release(&client, number).await;
        let promotion = world.promotion(format!("release {number}"));
        loop {
            let delay = typical.mul_f64(1.2 * chance.next());
            let began = Instant::now();
            let ended = tokio::time::timeout(delay, promotion.go_on(&client))
                .await
                .is_ok();
            // A machine that has more or less to do besides takes more or less time.
            typical = match ended {
                true => (typical + began.elapsed()) / 2,
                false => typical.max(delay),
            };
            server.kill().await;
            server = world.start().await;
            client = world.client(&server);
            let production = client.in_tenant(PRODUCTION);
            tally.note(ended, operations(&production).await.1 > u64::from(number));
            let seen = listing(&production).await;
            assert!(
                seen == before || seen == after,
                "release {number}: a mixture\n{seen}"
            );
            // Now and then what goes on after a kill is killed too.
            if chance.next() > 0.3 {
                break;
            }
        }
        let production = client.in_tenant(PRODUCTION);
        settled(&client).await;
        let import = promotion.go_on(&client).await.unwrap();
        assert_eq!(
            import.outcome(),
            Outcome::Succeeded,
            "release {number}: {}",
            import.raw
        );
        assert_eq!(listing(&production).await, after, "release {number}");
        write_own(&production, number as usize)
            .await
            .expect("no lock stays");
        before = after;
    }
    println!("{tally:?}");
    assert!(tally.exporting >= 10 && tally.importing >= 10, "{tally:?}");
    let expected = u64::from(number) + 1;
    assert_eq!(
        operations(&client.in_tenant(DEVELOPMENT)).await,
        (expected, 0)
    );
    assert_eq!(
        operations(&client.in_tenant(PRODUCTION)).await,
        (0, expected)
    );
    server.stop().await;
    age_blobs(&world.data());
    let server = world.start().await;
    assert_none(&world.data()).await;
    server.stop().await;
}
