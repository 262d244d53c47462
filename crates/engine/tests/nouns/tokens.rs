//! API tokens.

use dev2prod_engine::accounts::{
    NewToken, TOKENS_MAX, create_token, create_user, delete_token, set_role, token_end, tokens,
};
use dev2prod_model::access::{Grant, Principal, Role, RoleWrite};
use insta::assert_snapshot;
use secrecy::ExposeSecret;

use crate::support::{World, secret, tenant, told};

fn new_token() -> NewToken {
    NewToken {
        name: "ci".to_owned(),
        tenant: None,
        role: None,
        expires_ms: None,
    }
}

#[tokio::test]
async fn a_token_is_its_owner_cut_to_a_tenant_and_a_role_until_it_ends() {
    let world = World::start().await;
    let (engine, owner) = (&world.engine, world.admin().await);
    let expires_ms = Some(engine.now_ms() + 1_000);
    let new = NewToken {
        tenant: Some(tenant()),
        role: Some(Role::Viewer),
        expires_ms,
        ..new_token()
    };
    let (token, text) = create_token(engine, &owner, None, new).await.unwrap();
    assert!(text.expose_secret().starts_with("d2p_"));
    let caller = world.caller(text.expose_secret()).await.unwrap();
    assert_eq!(
        caller,
        Principal {
            login: owner.login.clone(),
            system_admin: false,
            roles: [(tenant(), Role::Viewer)].into(),
            approves: [].into(),
        }
    );
    assert_eq!(
        tokens(engine, &owner).await.unwrap(),
        std::slice::from_ref(&token)
    );

    world.advance_ms(1_000);
    let expired = told(&world.caller(text.expose_secret()).await.unwrap_err());
    assert!(
        expired.starts_with("unauthenticated: the API token 'ci' expired at 2"),
        "{expired}"
    );

    delete_token(engine, &owner, token.id).await.unwrap();
    assert_snapshot!(told(&world.caller(text.expose_secret()).await.unwrap_err()), @r#"unauthenticated: this API token is not known: it was deleted, or never made here"#);
    let again = told(&delete_token(engine, &owner, token.id).await.unwrap_err());
    assert!(
        again.starts_with("unknown_token: you have no token"),
        "{again}"
    );
}

#[tokio::test]
async fn a_token_of_limited_reach_makes_none_that_reaches_further() {
    let world = World::start().await;
    let (engine, owner) = (&world.engine, world.admin().await);
    let limited = NewToken {
        tenant: Some(tenant()),
        role: Some(Role::Promoter),
        ..new_token()
    };
    let (_, text) = create_token(engine, &owner, None, limited.clone())
        .await
        .unwrap();
    let limited_caller = world.caller(text.expose_secret()).await.unwrap();
    let wider = create_token(engine, &limited_caller, None, new_token())
        .await
        .unwrap_err();
    assert_snapshot!(told(&wider), @r#"token_role: you come with a token of limited reach: name the Tenant and Role of the new one"#);
    let role = Some(Role::TenantAdmin);
    let higher = NewToken {
        role,
        ..limited.clone()
    };
    let higher = create_token(engine, &limited_caller, None, higher)
        .await
        .unwrap_err();
    assert_snapshot!(told(&higher), @r#"token_role: a token cannot be TenantAdmin: you are only Promoter"#);
    create_token(engine, &limited_caller, None, limited)
        .await
        .expect("as far as it reaches itself");
}

#[tokio::test]
async fn a_token_that_ends_makes_none_that_outlives_it() {
    let world = World::start().await;
    let (engine, owner) = (&world.engine, world.admin().await);
    let end_ms = engine.now_ms() + 60_000;
    let ending = |expires_ms| NewToken {
        expires_ms,
        ..new_token()
    };
    let (_, text) = create_token(engine, &owner, None, ending(Some(end_ms)))
        .await
        .unwrap();
    let until_ms = token_end(engine, text.expose_secret()).await.unwrap();
    assert_eq!(until_ms, Some(end_ms));
    for later in [None, Some(end_ms + 1)] {
        let refused = create_token(engine, &owner, until_ms, ending(later)).await;
        let refused = told(&refused.unwrap_err());
        assert!(
            refused.starts_with("token_outlives: you come with a token that ends at 2"),
            "{refused}"
        );
    }
    let (_, other) = create_token(engine, &owner, until_ms, ending(Some(end_ms)))
        .await
        .expect("as long as it lasts itself");
    let lasting = create_token(engine, &owner, None, new_token())
        .await
        .unwrap();
    let ends = async |text: &str| token_end(engine, text).await.unwrap();
    assert_eq!(ends(other.expose_secret()).await, Some(end_ms));
    assert_eq!(ends(lasting.1.expose_secret()).await, None);
    assert_eq!(ends("a.b.c").await, None, "of a session");
}

#[tokio::test]
async fn a_token_loses_what_its_owner_loses() {
    let world = World::start().await;
    let (engine, server) = (&world.engine, world.server().await);
    let ann = "ann".parse().unwrap();
    create_user(
        engine,
        &server,
        "ann".parse().unwrap(),
        &secret("ann's password"),
        false,
    )
    .await
    .unwrap();
    let roles = world.scope::<RoleWrite>().await;
    set_role(engine, &roles, &ann, Some(Grant::of(Role::TenantAdmin)))
        .await
        .unwrap();
    let session = world.sign_in("ann", "ann's password").await.unwrap();
    let caller = world.caller(&session).await.unwrap();
    let (_, text) = create_token(engine, &caller, None, new_token())
        .await
        .unwrap();

    set_role(engine, &roles, &ann, Some(Grant::of(Role::Viewer)))
        .await
        .unwrap();
    let roles = world.caller(text.expose_secret()).await.unwrap().roles;
    assert_eq!(roles, [(tenant(), Role::Viewer)].into());
    dev2prod_engine::accounts::delete_user(engine, &server, &ann)
        .await
        .unwrap();
    world
        .caller(text.expose_secret())
        .await
        .expect_err("the owner is gone");
}

#[tokio::test]
async fn nobody_has_more_tokens_than_the_limit() {
    let world = World::start().await;
    let (engine, owner) = (&world.engine, world.admin().await);
    for _ in 0..TOKENS_MAX {
        create_token(engine, &owner, None, new_token())
            .await
            .unwrap();
    }
    let one_more = create_token(engine, &owner, None, new_token())
        .await
        .unwrap_err();
    assert_snapshot!(told(&one_more), @r#"too_many_tokens: you have 100 tokens, the most: delete one first"#);
}
