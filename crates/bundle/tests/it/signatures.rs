//! A signature covers all that an import looks at.

use dev2prod_bundle::hostile::{self, Parts};
use dev2prod_bundle::{
    BundleError, Limits, Reader, Seal, SigningKey, Writer, WriterOptions, verify,
};
use dev2prod_model::digest::item_digest;
use dev2prod_model::item::{ItemRef, Revision};
use dev2prod_model::section::Section;
use serde_json::Value;

use crate::support::{line, manifest_parts, open, open_and_verify};

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

fn signed() -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), WriterOptions::default());
    writer.begin_section(Section::Metadata).unwrap();
    let item = ItemRef::new(Section::Metadata, "Incident".parse().unwrap());
    let (body, references) = (r#"{"a":1}"#, "[]");
    let digest = item_digest(body, references);
    writer
        .item(&line(&item, &digest, body, references))
        .unwrap();
    writer
        .finish_sealed(manifest_parts(), &Seal::Sign(&key()))
        .unwrap()
        .0
}

fn read(bundle: &[u8]) -> Result<Reader, BundleError> {
    let reader = open(bundle, &Limits::default())?;
    verify(&reader, &mut |_, _| {})?;
    Ok(reader)
}

fn with_manifest(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let parts = Parts::of(&signed());
    let mut manifest = serde_json::from_slice(&parts.0["manifest.json"]).unwrap();
    change(&mut manifest);
    parts
        .with("manifest.json", serde_json::to_vec(&manifest).unwrap())
        .zip()
}

#[test]
fn a_signed_bundle_tells_who_signed_it() {
    let reader = read(&signed()).unwrap();
    let signature = reader.manifest().signature.as_ref().unwrap();
    assert_eq!(signature.public_key(), key().public_key());
    assert!(
        !format!("{:?}", key()).contains("0707"),
        "the seed is not shown"
    );
    // Other spelling of the manifest, the same manifest.
    read(&with_manifest(|_| ())).unwrap();
    // Without it the bundle is one that nobody signed.
    let unsigned = with_manifest(|manifest| {
        manifest.as_object_mut().unwrap().remove("Signature");
    });
    assert_eq!(read(&unsigned).unwrap().manifest().signature, None);
    assert_eq!(read(&hostile::sample()).unwrap().manifest().signature, None);
}

#[test]
fn whatever_is_altered_voids_the_signature() {
    let manifest: Value = serde_json::from_slice(&Parts::of(&signed()).0["manifest.json"]).unwrap();
    for name in manifest.as_object().unwrap().keys() {
        let changed = with_manifest(|manifest| {
            let text = serde_json::to_string(&manifest[name]).unwrap();
            let other = [
                ("Full", "Granular"),
                ("metadata", "workflow"),
                ("Sample", "Simple"),
                ("Package-", "Packing-"),
                ("[]", r#"[{"PackageName":"data","Key":"x"}]"#),
                ("dev2", "dev3"),
                ("1", "2"),
                ("7", "8"),
                ("a", "b"),
            ]
            .into_iter()
            .map(|(from, to)| text.replacen(from, to, 1))
            .find(|other| *other != text && serde_json::from_str::<Value>(other).is_ok())
            .unwrap();
            manifest[name] = serde_json::from_str(&other).unwrap();
        });
        let error = read(&changed).map(drop).unwrap_err();
        if !["Format", "Version"].contains(&name.as_str()) {
            let code = error.code();
            let refused = ["signature_mismatch", "invalid_manifest"].contains(&code);
            assert!(refused, "{name}: {code}");
        }
    }
    let added = with_manifest(|manifest| {
        manifest["Later"] = true.into();
    });
    assert_eq!(
        read(&added).map(drop).unwrap_err().code(),
        "signature_mismatch"
    );
}

#[test]
fn another_key_cannot_take_the_place_of_the_one_that_signed() {
    let other = SigningKey::from_seed(&[8; 32]).public_key();
    let error = read(&with_manifest(|manifest| {
        manifest["Signature"]["PublicKey"] = other.to_string().into();
    }));
    assert_eq!(error.map(drop).unwrap_err().code(), "signature_mismatch");
    let error = read(&with_manifest(|manifest| {
        manifest["Signature"]["Algorithm"] = "None".into();
    }));
    assert_eq!(error.map(drop).unwrap_err().code(), "signature_mismatch");
}

#[test]
fn revision_and_reason_of_an_item_are_covered() {
    for (from, to) in [
        ("\"Revision\":7", "\"Revision\":8"),
        ("\"Carried\":\"Required\"", "\"Carried\":\"IfMissing\""),
    ] {
        let index = "sections/metadata/index.ndjson";
        let bundle = Parts::of(&signed()).replace(index, from, to).zip();
        let error = open_and_verify(&bundle, &Limits::default()).unwrap_err();
        assert_eq!(error.code(), "digest_mismatch", "{error}");
        assert!(
            error.to_string().contains("the index of metadata"),
            "{error}"
        );
    }
    // Only signed bundles say it: without the member a signature is refused.
    let error = read(&with_manifest(|manifest| {
        let sections = manifest["Sections"].as_array_mut().unwrap();
        for section in sections {
            section.as_object_mut().unwrap().remove("IndexDigest");
        }
    }));
    assert_eq!(error.map(drop).unwrap_err().code(), "signature_mismatch");
    assert_eq!(manifest_parts().source_revision, Revision(7));
}
