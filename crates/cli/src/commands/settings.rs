//! `dev2prod settings …`

use clap::{Args, Subcommand, ValueEnum};
use dev2prod_client::InTenant;
use dev2prod_client::api::model::settings::{Day, ImportWindow, Outside, Span, UtcOffset};
use dev2prod_client::api::{Feature, TenantSettings};

use super::offered;
use crate::connect::{Side, TenantArgs};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::Output;

/// Show and change what a tenant asks of imports into it
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  dev2prod settings set --server prod --tenant 987654321 --require-approval true"
)]
pub(crate) struct SettingsArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the settings
    #[command(after_help = "Example:\n  dev2prod settings show --server prod --tenant 987654321")]
    Show(ShowArgs),
    /// Change settings; what is not named stays
    ///
    /// Imports that wait are held to them at once.
    #[command(
        after_help = "Example:\n  dev2prod settings set --server prod --tenant 987654321 \\\n      \
--window 'saturday 22:00-24:00' --window 'sunday 00:00-06:00' --utc-offset +02:00"
    )]
    Set(Box<SetArgs>),
}

#[derive(Args, Debug)]
struct ShowArgs {
    #[command(flatten)]
    tenant: TenantArgs,
}

#[derive(Args, Debug)]
struct SetArgs {
    /// Whether an import has to carry out the plan of a dry run
    #[arg(long, value_name = "true|false")]
    require_plan: Option<bool>,
    /// Whether that plan has to be approved by somebody else
    #[arg(long, value_name = "true|false")]
    require_approval: Option<bool>,
    /// Whether only bundles that a trusted server signed are imported
    #[arg(long, value_name = "true|false")]
    only_trusted_origins: Option<bool>,
    /// When imports may begin, such as 'saturday 22:00-24:00'; all times there are to be
    #[arg(long, value_name = "DAY FROM-TO", value_parser = span)]
    window: Vec<Span>,
    /// How far the window's clock is ahead of UTC
    #[arg(
        long,
        value_name = "+HH:MM",
        requires = "window",
        allow_hyphen_values = true
    )]
    utc_offset: Option<UtcOffset>,
    /// What becomes of an import outside the window
    #[arg(long, requires = "window")]
    outside: Option<OutsideWord>,
    /// Imports may begin at any time
    #[arg(long, conflicts_with = "window")]
    no_window: bool,
    #[command(flatten)]
    tenant: TenantArgs,
}

/// What becomes of an import outside the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OutsideWord {
    /// It waits until the window opens
    Wait,
    /// It is refused
    Refuse,
}

/// Reads `saturday 22:00-24:00`.
fn span(text: &str) -> Result<Span, String> {
    let wrong = || "it is a day and two times, such as 'saturday 22:00-24:00'".to_owned();
    let (day, times) = text.trim().split_once(' ').ok_or_else(wrong)?;
    let (from, to) = times.trim().split_once('-').ok_or_else(wrong)?;
    let day = match day.to_ascii_lowercase().as_str() {
        "monday" => Day::Monday,
        "tuesday" => Day::Tuesday,
        "wednesday" => Day::Wednesday,
        "thursday" => Day::Thursday,
        "friday" => Day::Friday,
        "saturday" => Day::Saturday,
        "sunday" => Day::Sunday,
        _ => return Err(format!("'{day}' is no day of the week")),
    };
    let time = |text: &str| text.trim().parse().map_err(|error| format!("{error}"));
    Ok(Span {
        day,
        from: time(from)?,
        to: time(to)?,
    })
}

pub(crate) async fn run(args: &SettingsArgs, output: Output) -> CommandResult {
    match &args.command {
        Command::Show(args) => {
            let tenant = connect(&args.tenant).await?;
            show(&tenant.settings().await?, output)
        }
        Command::Set(args) => set(args, output).await,
    }
}

async fn connect(args: &TenantArgs) -> Result<InTenant, CommandError> {
    let tenant = args.connect(Side::Target)?;
    offered::feature(tenant.client(), Feature::Settings).await?;
    Ok(tenant)
}

async fn set(args: &SetArgs, output: Output) -> CommandResult {
    let window = window(args)?;
    let tenant = connect(&args.tenant).await?;
    let mut settings = tenant.settings().await?;
    for (asked, setting) in [
        (args.require_plan, &mut settings.require_plan),
        (args.require_approval, &mut settings.require_approval),
        (
            args.only_trusted_origins,
            &mut settings.only_trusted_origins,
        ),
    ] {
        *setting = asked.unwrap_or(*setting);
    }
    if window.is_some() || args.no_window {
        settings.import_window = window;
    }
    show(&tenant.set_settings(&settings).await?, output)
}

/// The window that is asked for, if any is.
fn window(args: &SetArgs) -> Result<Option<ImportWindow>, CommandError> {
    if args.window.is_empty() {
        return Ok(None);
    }
    let outside = match args.outside {
        Some(OutsideWord::Refuse) => Outside::Refuse,
        Some(OutsideWord::Wait) | None => Outside::Wait,
    };
    let offset = args.utc_offset.unwrap_or_default();
    ImportWindow::new(args.window.clone(), offset, outside)
        .map(Some)
        .map_err(|error| CommandError::usage(error.to_string()))
}

fn show(settings: &TenantSettings, output: Output) -> CommandResult {
    output.data(settings, || text(settings))?;
    Ok(Exit::Done)
}

fn text(settings: &TenantSettings) -> String {
    let yes = |on: bool| if on { "yes" } else { "no" };
    let window = match &settings.import_window {
        None => "any time".to_owned(),
        Some(window) => {
            let time = |span: &Span| format!("{:?} {}-{}", span.day, span.from, span.to);
            let times: Vec<_> = window.times().iter().map(time).collect();
            let outside = match window.outside() {
                Outside::Wait => "outside an import waits",
                Outside::Refuse => "outside an import is refused",
            };
            format!(
                "{} (UTC{}), {outside}",
                times.join(", "),
                window.utc_offset()
            )
        }
    };
    format!(
        "requires a plan:      {}\nrequires an approval: {}\nimports may begin:    {window}\nonly trusted origins: {}",
        yes(settings.require_plan),
        yes(settings.require_approval),
        yes(settings.only_trusted_origins),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_or_refused() {
        let read = span("Saturday 22:00-24:00").unwrap();
        assert_eq!(
            (read.day, read.to.to_string().as_str()),
            (Day::Saturday, "24:00")
        );
        for text in [
            "",
            "saturday",
            "saturday 22:00",
            "caturday 22:00-23:00",
            "monday 22-23",
            "monday 25:00-26:00",
        ] {
            assert!(span(text).is_err(), "{text:?}");
        }
    }
}
