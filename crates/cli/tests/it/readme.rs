//! What the README shows, run as it stands: its commands, and what it says that they print.

use crate::common::Home;
use crate::common::console::{Reader, Serving, shown};

const README: &str = include_str!("../../../../README.md");

#[test]
fn your_own_tenants_are_made_and_promoted_as_the_readme_shows() {
    let home = Home::new();
    let mut shown = shown(README);
    let rest = shown.split_off(1);
    assert!(shown[0].command.contains("dev2prod serve"), "{shown:?}");
    let serving = Serving::start(&home, &shown[0]);
    assert!(
        rest.iter()
            .any(|shown| shown.command.starts_with("dev2prod promote"))
    );
    let mut reader = Reader::new(&home, &serving.address);
    for shown in &rest {
        reader.type_in(shown);
    }
}

#[test]
fn the_readme_s_exit_codes_are_those_of_the_help() {
    let help = Home::new().run(&["--help"]).ok().stdout;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let codes = README.lines().filter_map(|line| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let code: u8 = cells.next()?.parse().ok()?;
        Some((code, cells.next()?.split([';', '(']).next()?.trim()))
    });
    let codes: Vec<_> = codes.collect();
    assert_eq!(codes.len(), 8);
    for (code, means) in codes {
        assert!(
            help.contains(&format!("{code} {means}")),
            "{code} {means}: {help}"
        );
    }
}
