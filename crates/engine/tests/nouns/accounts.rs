//! Signing in, and what ends a session.

use dev2prod_engine::accounts::{
    UserChange, change_user, create_user, delete_user, first_admin, set_role, sign_in,
};
use dev2prod_engine::{EngineError, Settings};
use dev2prod_model::access::{Grant, Role, RoleWrite};
use dev2prod_model::id::Login;
use insta::assert_snapshot;
use secrecy::ExposeSecret;

use crate::support::{ADMIN, HOME, PASSWORD, World, secret, tenant, told};

fn ann() -> Login {
    "ann".parse().unwrap()
}

async fn with_ann(settings: Settings) -> World {
    let world = World::with(settings).await;
    let server = world.server().await;
    create_user(
        &world.engine,
        &server,
        ann(),
        &secret("ann's password"),
        false,
    )
    .await
    .unwrap();
    world
}

#[tokio::test]
async fn an_empty_server_is_given_an_administrator_once() {
    let world = World::empty(Settings::default()).await;
    let admin: Login = ADMIN.parse().unwrap();
    let first = first_admin(&world.engine, admin.clone(), None)
        .await
        .unwrap()
        .unwrap();
    let made_up = first.made_up.unwrap();
    assert_eq!(made_up.expose_secret().len(), 23);
    let token = world.sign_in(ADMIN, made_up.expose_secret()).await.unwrap();
    assert!(world.caller(&token).await.unwrap().system_admin);
    for login in [admin, ann()] {
        let again = first_admin(&world.engine, login, Some(secret("another one"))).await;
        assert!(again.unwrap().is_none(), "there is a user already");
    }
}

#[tokio::test]
async fn a_wrong_login_and_a_wrong_password_sound_the_same() {
    let world = World::start().await;
    let mut answers = Vec::new();
    for (login, password) in [(ADMIN, "wrong"), ("nobody", PASSWORD), ("\n", PASSWORD)] {
        answers.push(told(&world.sign_in(login, password).await.unwrap_err()));
    }
    answers.dedup();
    assert_snapshot!(answers.join("\n"), @r#"unauthenticated: the login or the password is wrong"#);
}

#[tokio::test]
async fn guessing_is_slowed_by_login_and_address_and_a_success_clears() {
    let world = with_ann(Settings {
        login_cache_ms: 0,
        ..Settings::default()
    })
    .await;
    for _ in 0..5 {
        let error = world.sign_in("ann", "wrong").await.unwrap_err();
        assert!(matches!(error, EngineError::Unauthenticated(_)));
    }
    let slowed = world.sign_in("ann", "ann's password").await.unwrap_err();
    assert_snapshot!(told(&slowed), @r#"too many attempts: too many failed logins; try again in 1 s, with the right password"#);
    assert!(matches!(
        slowed,
        EngineError::TooManyAttempts {
            retry_after_s: 1,
            ..
        }
    ));

    world
        .sign_in(ADMIN, PASSWORD)
        .await
        .expect("another login is not slowed");
    let elsewhere = "192.0.2.2".parse().unwrap();
    let password = secret("ann's password");
    sign_in(&world.engine, "ann", &password, elsewhere, None)
        .await
        .expect("nor another address");

    world.advance_ms(1_000);
    world
        .sign_in("ann", "ann's password")
        .await
        .expect("who waits as told may try");
    world.sign_in("ann", "wrong").await.unwrap_err();
    world
        .sign_in("ann", "ann's password")
        .await
        .expect("the failures before were forgotten");
}

#[tokio::test]
async fn who_was_right_a_moment_ago_is_let_in_at_once() {
    let world = with_ann(Settings {
        login_cache_ms: 60_000,
        ..Settings::default()
    })
    .await;
    world.sign_in("ann", "ann's password").await.unwrap();
    for _ in 0..5 {
        world.sign_in("ann", "wrong").await.unwrap_err();
    }
    world
        .sign_in("ann", "ann's password")
        .await
        .expect("this was checked a moment ago");

    let change = UserChange {
        password: Some(secret("a new password")),
        system_admin: None,
    };
    change_user(&world.engine, &world.server().await, &ann(), change)
        .await
        .unwrap();
    let error = world.sign_in("ann", "ann's password").await.unwrap_err();
    assert!(
        matches!(error, EngineError::TooManyAttempts { .. }),
        "what was checked is void"
    );
}

#[tokio::test]
async fn a_session_ends_by_time_by_a_new_password_and_with_its_user() {
    let world = with_ann(Settings::default()).await;
    let server = world.server().await;
    let token = world.sign_in("ann", "ann's password").await.unwrap();
    assert_eq!(token.split('.').count(), 3);
    assert_eq!(world.caller(&token).await.unwrap().login, ann());

    let change = UserChange {
        password: Some(secret("a new password")),
        system_admin: None,
    };
    change_user(&world.engine, &server, &ann(), change)
        .await
        .unwrap();
    assert_snapshot!(told(&world.caller(&token).await.unwrap_err()), @r#"unauthenticated: this token is void, because its user or password changed: sign in again"#);

    let token = world.sign_in("ann", "a new password").await.unwrap();
    world.advance_ms(world.engine.settings().session_ms);
    let expired = told(&world.caller(&token).await.unwrap_err());
    let (before, after) = (
        expired.find(" at ").unwrap(),
        expired.find(": sign").unwrap(),
    );
    assert_snapshot!(
        format!("{}…{}", &expired[..before], &expired[after..]),
        @r#"unauthenticated: this token expired…: sign in again"#
    );

    let token = world.sign_in("ann", "a new password").await.unwrap();
    delete_user(&world.engine, &server, &ann()).await.unwrap();
    create_user(
        &world.engine,
        &server,
        ann(),
        &secret("ann's password"),
        false,
    )
    .await
    .unwrap();
    world
        .caller(&token)
        .await
        .expect_err("the user of before is not the one of now");
    assert_snapshot!(told(&world.caller("d2p_x").await.unwrap_err()), @r#"unauthenticated: this API token is not known: it was deleted, or never made here"#);
    assert_snapshot!(told(&world.caller("x").await.unwrap_err()), @r#"unauthenticated: this token is not one of this server: sign in again"#);
}

#[tokio::test]
async fn a_role_given_or_taken_shows_at_once() {
    let world = with_ann(Settings::default()).await;
    let scope = world.scope::<RoleWrite>().await;
    let signed_in = async || {
        let (password, tenant) = (secret("ann's password"), tenant());
        sign_in(&world.engine, "ann", &password, HOME, Some(&tenant)).await
    };
    assert_snapshot!(told(&signed_in().await.unwrap_err()), @r#"unauthenticated: there is no tenant 1001 in which this login has a role: check TENANTID, or ask the tenant's administrator for a role there"#);
    // Whether there is such a tenant is not for everybody to know.
    let (password, unknown) = (secret("ann's password"), "4711".parse().unwrap());
    let unknown = sign_in(&world.engine, "ann", &password, HOME, Some(&unknown)).await;
    assert_snapshot!(told(&unknown.unwrap_err()), @r#"unauthenticated: there is no tenant 4711 in which this login has a role: check TENANTID, or ask the tenant's administrator for a role there"#);

    set_role(
        &world.engine,
        &scope,
        &ann(),
        Some(Grant::of(Role::Promoter)),
    )
    .await
    .unwrap();
    let token = signed_in().await.unwrap();
    let roles = world.caller(token.expose_secret()).await.unwrap().roles;
    assert_eq!(roles, [(tenant(), Role::Promoter)].into());

    set_role(&world.engine, &scope, &ann(), None).await.unwrap();
    assert_eq!(
        world.caller(token.expose_secret()).await.unwrap().roles,
        [].into()
    );
    let nobody: Login = "nobody".parse().unwrap();
    let unknown = set_role(
        &world.engine,
        &scope,
        &nobody,
        Some(Grant::of(Role::Viewer)),
    )
    .await;
    assert_snapshot!(told(&unknown.unwrap_err()), @r#"unknown_user: there is no user 'nobody'"#);
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let world = with_ann(Settings::default()).await;
    let (engine, server) = (&world.engine, world.server().await);
    let admin: Login = ADMIN.parse().unwrap();
    let no_admin = UserChange {
        password: None,
        system_admin: Some(false),
    };
    let demoted = change_user(engine, &server, &admin, no_admin.clone())
        .await
        .unwrap_err();
    let deleted = delete_user(engine, &server, &admin).await.unwrap_err();
    assert_eq!(told(&demoted), told(&deleted));
    assert_snapshot!(told(&demoted), @r#"last_system_admin: 'admin' is the last system administrator: make another user one first"#);

    let promoted = UserChange {
        password: None,
        system_admin: Some(true),
    };
    change_user(engine, &server, &ann(), promoted)
        .await
        .unwrap();
    let admin = change_user(engine, &server, &admin, no_admin)
        .await
        .unwrap();
    assert!(!admin.system_admin);
}

#[tokio::test]
async fn a_password_is_8_to_1000_characters_and_a_login_is_given_once() {
    let world = World::start().await;
    let server = world.server().await;
    for (chars, is_good) in [(7, false), (8, true), (1_000, true), (1_001, false)] {
        let login = format!("user{chars}").parse().unwrap();
        let password = secret(&"é".repeat(chars));
        let created = create_user(&world.engine, &server, login, &password, false).await;
        assert_eq!(created.is_ok(), is_good, "{chars}");
    }
    let admin = ADMIN.parse().unwrap();
    let again = create_user(&world.engine, &server, admin, &secret(PASSWORD), false).await;
    assert_snapshot!(told(&again.unwrap_err()), @r#"login_taken: there already is a user 'admin'"#);
}
