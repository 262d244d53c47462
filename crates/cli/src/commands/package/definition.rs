//! A package as arguments or a file define it.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use dev2prod_client::api::model::id::{Origin, PackageId};
use dev2prod_client::api::model::item::{ItemRef, Key};
use dev2prod_client::api::model::package::{Dependencies, KeyGlob, Mode, Sections, Selector};
use dev2prod_client::api::model::section::Section;
use dev2prod_client::api::{Package, PackageRequest};

use super::super::words;
use crate::connect::TenantArgs;
use crate::exit::CommandError;

/// What a package chooses. Sections make it a full package, items a granular one.
#[derive(Args, Debug)]
pub(super) struct DefinitionArgs {
    /// A JSON file that defines it, as 'package show' writes it; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all =
        ["name", "sections", "item", "item_glob", "exclude", "exclude_glob", "remove", "dependencies", "from_drift"])]
    file: Option<PathBuf>,
    /// Its name
    #[arg(long)]
    name: Option<String>,
    /// Its number; otherwise the server gives one
    #[arg(long, value_name = "ID")]
    id: Option<PackageId>,
    /// Whole sections: configuration, all, or names with commas between
    #[arg(long, value_parser = sections, conflicts_with_all = ["item", "item_glob", "remove"])]
    sections: Option<Sections>,
    /// An item, as SECTION:KEY; may be repeated
    #[arg(long, value_name = "SECTION:KEY", value_parser = one)]
    item: Vec<Selector>,
    /// Items by a pattern over whole keys, as SECTION:GLOB; may be repeated
    #[arg(long, value_name = "SECTION:GLOB", value_parser = glob)]
    item_glob: Vec<Selector>,
    /// An item to leave out; may be repeated
    #[arg(long, value_name = "SECTION:KEY", value_parser = one)]
    exclude: Vec<Selector>,
    /// Items to leave out by a pattern; may be repeated
    #[arg(long, value_name = "SECTION:GLOB", value_parser = glob)]
    exclude_glob: Vec<Selector>,
    /// An item that the target is to lose; may be repeated
    #[arg(long, value_name = "SECTION:KEY", value_parser = words::item)]
    remove: Vec<(Section, Key)>,
    /// All that was changed here since it was last delivered, with what had been delivered: it goes
    /// back to where it came from without overwriting what is newer there
    #[arg(long, conflicts_with_all = ["sections", "item", "item_glob", "remove"])]
    from_drift: bool,
    /// With --from-drift, from whose deliveries, as 'drift' names it
    #[arg(long, value_name = "ORIGIN", requires = "from_drift")]
    origin: Option<Origin>,
    /// What chosen items refer to
    #[arg(long, value_name = "WHAT")]
    dependencies: Option<DependenciesWord>,
    #[command(flatten)]
    pub(super) tenant: TenantArgs,
}

/// What happens with what chosen items refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DependenciesWord {
    /// Is carried
    Always,
    /// Is carried, and taken only where the target lacks it
    IfMissing,
    /// Is not carried
    None,
}

impl From<DependenciesWord> for Dependencies {
    fn from(word: DependenciesWord) -> Self {
        match word {
            DependenciesWord::Always => Self::Always,
            DependenciesWord::IfMissing => Self::IfMissing,
            DependenciesWord::None => Self::None,
        }
    }
}

impl DefinitionArgs {
    /// A new package.
    pub(super) fn made(&self) -> Result<PackageRequest, CommandError> {
        if let Some(path) = &self.file {
            return self.read_from(path);
        }
        let name = self
            .name
            .clone()
            .ok_or_else(|| CommandError::usage("a package needs --name"))?;
        if !self.chooses() {
            return Err(CommandError::usage("the package chooses nothing").hint(
                "name whole sections by --sections (configuration, all, or names), items by \
                     --item, --item-glob or --remove, or what drifted by --from-drift",
            ));
        }
        let request = PackageRequest {
            id: self.id,
            name,
            mode: Some(if self.from_drift {
                Mode::Granular
            } else {
                Mode::Full
            }),
            sections: None,
            items: Vec::new(),
            exclude: Vec::new(),
            remove: Vec::new(),
            dependencies: Dependencies::default(),
            from_drift: self.from_drift,
            origin: self.origin,
            last_update_time: None,
        };
        Ok(self.applied(request))
    }

    fn chooses(&self) -> bool {
        let items = !self.item.is_empty() || !self.item_glob.is_empty() || !self.remove.is_empty();
        items || self.sections.is_some() || self.from_drift
    }

    /// A package with the changes that are named.
    pub(super) fn changed(&self, package: Package) -> Result<PackageRequest, CommandError> {
        if let Some(path) = &self.file {
            return self.read_from(path);
        }
        let request = PackageRequest {
            id: None,
            name: self.name.clone().unwrap_or(package.name),
            mode: Some(package.mode),
            sections: package.sections,
            items: package.items,
            exclude: package.exclude,
            remove: package.remove,
            dependencies: package.dependencies,
            from_drift: package.from_drift,
            origin: package.origin,
            last_update_time: None,
        };
        Ok(self.applied(request))
    }

    fn applied(&self, mut request: PackageRequest) -> PackageRequest {
        if let Some(sections) = &self.sections {
            request.mode = Some(Mode::Full);
            (request.from_drift, request.origin) = (false, None);
            request.sections = Some(sections.clone());
            request.items.clear();
            request.remove.clear();
        }
        if self.from_drift {
            request.mode = Some(Mode::Granular);
            request.sections = None;
            request.items.clear();
            request.remove.clear();
            request.from_drift = true;
            request.origin = self.origin.or(request.origin);
        }
        let items: Vec<_> = self.item.iter().chain(&self.item_glob).cloned().collect();
        if !items.is_empty() {
            request.items = items;
        }
        if !self.remove.is_empty() {
            let named = self.remove.iter().cloned();
            request.remove = named
                .map(|(section, key)| ItemRef { section, key })
                .collect();
        }
        if !request.items.is_empty() || !request.remove.is_empty() {
            request.mode = Some(Mode::Granular);
            request.sections = None;
        }
        let exclude: Vec<_> = self
            .exclude
            .iter()
            .chain(&self.exclude_glob)
            .cloned()
            .collect();
        if !exclude.is_empty() {
            request.exclude = exclude;
        }
        if let Some(dependencies) = self.dependencies {
            request.dependencies = dependencies.into();
        }
        request
    }

    fn read_from(&self, path: &Path) -> Result<PackageRequest, CommandError> {
        let unreadable =
            |error| CommandError::usage(format!("could not read {}: {error}", path.display()));
        let mut text = String::new();
        if path == Path::new("-") {
            std::io::stdin()
                .read_to_string(&mut text)
                .map_err(unreadable)?;
        } else {
            text = std::fs::read_to_string(path).map_err(unreadable)?;
        }
        let mut request: PackageRequest = serde_json::from_str(&text).map_err(|error| {
            CommandError::usage(format!("{} defines no package: {error}", path.display()))
        })?;
        request.id = self.id.or(request.id);
        Ok(request)
    }
}

fn sections(text: &str) -> Result<Sections, String> {
    match text.to_ascii_lowercase().as_str() {
        "configuration" => return Ok(Sections::Configuration),
        "all" => return Ok(Sections::All),
        _ => {}
    }
    let these: Result<Vec<_>, _> = text
        .split(',')
        .map(|name| words::named(name.trim()))
        .collect();
    Ok(Sections::These(these?))
}

fn one(text: &str) -> Result<Selector, String> {
    let (section, key) = words::item(text)?;
    Ok(Selector::One { section, key })
}

fn glob(text: &str) -> Result<Selector, String> {
    let (section, glob) = words::section_and(text)?;
    let key_glob = KeyGlob::try_from(glob.to_owned()).map_err(|error| error.to_string())?;
    Ok(Selector::Glob { section, key_glob })
}
