//! Bundles of other servers: who signed them, and what follows from it.

use dev2prod_bundle::hostile::Parts;
use dev2prod_engine::{drift, tenant_settings, trust};
use dev2prod_model::id::TenantId;
use dev2prod_model::operation::ImportReport;
use dev2prod_model::package::Dependencies;
use dev2prod_model::plan::Reason;
use dev2prod_model::settings::TenantSettings;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::outcome::{Outcome, feature, options, plain};
use crate::world::World;

/// A production tenant here, and a development tenant on another server.
struct Two {
    here: World,
    prod: TenantId,
    elsewhere: World,
    dev: TenantId,
}

impl Two {
    async fn open() -> Self {
        let (here, elsewhere) = (World::open().await, World::open().await);
        let [prod] = here.tenants(["200"]).await;
        let [dev] = elsewhere.tenants(["100"]).await;
        Self {
            here,
            prod,
            elsewhere,
            dev,
        }
    }

    async fn bundle(&self) -> Vec<u8> {
        let bundle = self.elsewhere.export_all(&self.dev).await;
        self.elsewhere.bundle_bytes(&bundle).await
    }

    async fn import(&self, bytes: &[u8]) -> Outcome {
        let bundle = self.here.arrived(&self.prod, bytes).await;
        self.here.import(&self.prod, &bundle, &plain()).await
    }

    /// Trusts the other server, or no more.
    async fn trust(&self, yes: bool) {
        let (engine, scope) = (&self.here.engine, self.here.scope(&self.prod));
        let name = "elsewhere".parse().unwrap();
        if yes {
            let key = trust::public_key(&self.elsewhere.engine).await.unwrap();
            trust::put(engine, &scope, name, key).await.unwrap();
        } else {
            trust::remove(engine, &scope, &name).await.unwrap();
        }
    }
}

/// The bundle with another manifest.
fn with_manifest(bundle: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let parts = Parts::of(bundle);
    let mut manifest = serde_json::from_slice(&parts.0["manifest.json"]).unwrap();
    change(&mut manifest);
    let manifest = serde_json::to_vec(&manifest).unwrap();
    parts.with("manifest.json", manifest).zip()
}

fn unsigned(bundle: &[u8]) -> Vec<u8> {
    with_manifest(bundle, |manifest| {
        manifest.as_object_mut().unwrap().remove("Signature");
    })
}

fn codes(report: &ImportReport) -> Vec<&str> {
    let codes = report.warnings.iter().map(|warning| warning.code.as_str());
    codes.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_of_one_server_need_no_trust() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world.put(&dev, &(feature("a", 1) + &feature("b", 1))).await;
    let first = world.promote(&dev, &prod, &plain()).await.done();
    assert_eq!(codes(&first.report), [""; 0]);
    world.delete(&dev, "featureInstances", "b").await;
    let bundle = world.export_all(&dev).await;
    let bytes = world.bundle_bytes(&bundle).await;

    // What nobody signed is told of, and goes on as before.
    let old = world.arrived(&prod, &unsigned(&bytes)).await;
    let told = world.dry_run(&prod, &old, &plain()).await.done();
    assert_eq!(codes(&told.report), ["unsigned"]);
    assert_eq!(told.count(Reason::SourceRemoved), 1, "{}", told.plan);
    let second = world.import(&prod, &bundle, &plain()).await.done();
    assert_eq!(codes(&second.report), [""; 0]);
    assert_eq!(second.numbers(), [0, 0, 1, 0, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_had_been_delivered_is_believed_of_those_who_are_trusted_alone() {
    let world = World::open().await;
    let [dev, prod, other] = world.tenants(["100", "200", "300"]).await;
    world.put(&dev, &feature("a", 1)).await;
    world.promote(&dev, &prod, &plain()).await.done();
    world.put(&other, &feature("a", 1)).await;
    world.put(&prod, &feature("a", 7)).await;
    let (scope, all) = (world.scope(&prod), Dependencies::Always);
    let selection = drift::selection(&world.engine, &scope, None, Vec::new(), all).await;
    let selection = serde_json::to_value(selection.unwrap()).unwrap();
    let bundle = world.export_of(&prod, selection).await;
    let bytes = world.bundle_bytes(&bundle).await;

    // The bundle says that what the other tenant has had been delivered.
    let fail = options(json!({"FirstDelivery": "Fail"}));
    let forged = world.arrived(&other, &unsigned(&bytes)).await;
    let told = world.dry_run(&other, &forged, &fail).await;
    assert_eq!(codes(&told.report), ["unsigned"]);
    assert_snapshot!(told.plan, @"Failed first_delivery: featureInstances a");
    let signed = world.arrived(&other, &bytes).await;
    let told = world.dry_run(&other, &signed, &fail).await;
    assert_snapshot!(told.plan, @"Modified source_changed: featureInstances a");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_server_is_told_of_and_removes_nothing_until_it_is_trusted() {
    let two = Two::open().await;
    let both = feature("a", 1) + &feature("b", 1);
    two.elsewhere.put(&two.dev, &both).await;
    let first = two.import(&two.bundle().await).await.done();
    assert_eq!(codes(&first.report), ["unknown_signer"]);
    let key = trust::public_key(&two.elsewhere.engine).await.unwrap();
    let message = &first.report.warnings[0].message;
    assert!(message.contains(&key.to_string()), "{message}");
    assert_eq!(first.numbers(), [2, 0, 0, 0, 0]);

    two.elsewhere
        .delete(&two.dev, "featureInstances", "b")
        .await;
    let bundle = two.bundle().await;
    for (bytes, code) in [
        (bundle.clone(), "unknown_signer"),
        (unsigned(&bundle), "unsigned"),
    ] {
        let kept = two.import(&bytes).await.done();
        assert_eq!(codes(&kept.report), [code]);
        insta::allow_duplicates! {
            insta::assert_snapshot!(kept.plan, @"Skipped removal_untrusted: featureInstances b");
        }
        assert_eq!(kept.warnings().len(), 1);
    }
    two.trust(true).await;
    let trusted = two.import(&bundle).await.done();
    assert_eq!(codes(&trusted.report), [""; 0]);
    insta::assert_snapshot!(trusted.plan, @"Removed source_removed: featureInstances b");
    // What nobody signed is not trusted in the name of whom one trusts.
    let still = two.import(&unsigned(&bundle)).await.done();
    assert_eq!(codes(&still.report), ["unsigned"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn trust_is_looked_at_when_the_plan_is_made_not_when_the_bundle_was_first_seen() {
    let two = Two::open().await;
    let both = feature("a", 1) + &feature("b", 1);
    two.elsewhere.put(&two.dev, &both).await;
    two.trust(true).await;
    two.import(&two.bundle().await).await.done();
    two.elsewhere
        .delete(&two.dev, "featureInstances", "b")
        .await;
    let bundle = two.here.arrived(&two.prod, &two.bundle().await).await;
    let plan = two.here.dry_run(&two.prod, &bundle, &plain()).await.done();
    assert_eq!(plan.numbers(), [0, 0, 1, 0, 1]);

    two.trust(false).await;
    let asked = two.here.carry_out(&two.prod, &bundle, plan.id).await;
    let moved = two.here.outcome(&two.prod, asked.unwrap()).await;
    assert_eq!(moved.failed(), "plan_moved");
    assert_eq!(two.here.digests(&two.prod).await.len(), 2);

    two.trust(true).await;
    let asked = two.here.carry_out(&two.prod, &bundle, plan.id).await;
    let done = two.here.outcome(&two.prod, asked.unwrap()).await.done();
    assert_eq!(done.numbers(), [0, 0, 1, 0, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_may_take_only_what_it_trusts() {
    let two = Two::open().await;
    let [own] = two.here.tenants(["300"]).await;
    two.here.put(&own, &feature("own", 1)).await;
    two.elsewhere.put(&two.dev, &feature("a", 1)).await;
    let only_trusted = TenantSettings {
        only_trusted_origins: true,
        ..TenantSettings::default()
    };
    let scope = two.here.scope(&two.prod);
    tenant_settings::replace(&two.here.engine, &scope, &only_trusted)
        .await
        .unwrap();
    let bundle = two.bundle().await;
    for bytes in [bundle.clone(), unsigned(&bundle)] {
        let arrived = two.here.arrived(&two.prod, &bytes).await;
        let dry = two.here.dry_run(&two.prod, &arrived, &plain()).await;
        assert_eq!(dry.failed(), "origin_not_trusted");
        let refused = two.import(&bytes).await;
        assert_eq!(refused.failed(), "origin_not_trusted");
    }
    assert_eq!(two.here.digests(&two.prod).await.len(), 0);
    two.here.promote(&own, &two.prod, &plain()).await.done();
    two.trust(true).await;
    two.import(&bundle).await.done();
    assert_eq!(two.here.digests(&two.prod).await.len(), 2);
    two.trust(false).await;
    assert_eq!(two.import(&bundle).await.failed(), "origin_not_trusted");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_bundle_is_refused_whoever_is_trusted() {
    let two = Two::open().await;
    two.elsewhere.put(&two.dev, &feature("a", 1)).await;
    two.trust(true).await;
    let bundle = two.bundle().await;
    let own_key = trust::public_key(&two.here.engine).await.unwrap();
    let alterations: [fn(&mut Value, &str); 4] = [
        |manifest, _| manifest["SourceRevision"] = 99.into(),
        |manifest, _| manifest["Origin"]["TenantId"] = "200".into(),
        |manifest, _| manifest["Mode"] = "Granular".into(),
        |manifest, own| manifest["Signature"]["PublicKey"] = own.into(),
    ];
    for alter in alterations {
        let altered = with_manifest(&bundle, |manifest| alter(manifest, &own_key.to_string()));
        let refused = two.import(&altered).await;
        assert_eq!(refused.failed(), "signature_mismatch");
    }
    assert_eq!(two.here.digests(&two.prod).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_outlives_the_process() {
    let world = World::open().await;
    let before = trust::public_key(&world.engine).await.unwrap();
    let world = world
        .restart(dev2prod_model::catalogue::Catalogue::standard())
        .await;
    assert_eq!(trust::public_key(&world.engine).await.unwrap(), before);
}
