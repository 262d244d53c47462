//! Bindings as they are read, and what they make of bodies.

mod examples;
mod laws;
mod reading;

use serde_json::Value;

use super::{BindingLimits, Bindings};
use crate::catalogue::{Catalogue, Shape};

fn read(value: &Value) -> Bindings {
    Bindings::read(value, &BindingLimits::default()).unwrap()
}

/// A value with the catalogue's knowledge of layouts: sections and fields have identities.
fn layouts(catalogue: &Catalogue) -> Shape<'_> {
    catalogue.shape(crate::section::Section::FormLayouts)
}
