//! Users, roles and tokens.

use dev2prod_engine::ports::{ApiToken, Store, User};
use dev2prod_model::access::{Grant, Principal, Role, Scope};
use dev2prod_model::id::TenantId;
use secrecy::ExposeSecret;
use uuid::Uuid;

use super::world::{NOW_MS, World, digest, login, upkeep, user};

/// A user as a value to be compared, secret and all.
fn seen(user: &User) -> (&str, &str, bool, i64, i64) {
    (
        user.login.as_str(),
        user.password_hash.expose_secret(),
        user.system_admin,
        user.created_ms,
        user.password_ms,
    )
}

fn token(n: u128, owner: &Principal, tenant: Option<&TenantId>) -> ApiToken {
    ApiToken {
        id: Uuid::from_u128(n),
        login: owner.login.clone(),
        name: format!("token {n}"),
        sha256: digest(n as u64),
        tenant: tenant.cloned(),
        role: tenant.map(|_| Role::Promoter),
        created_ms: NOW_MS - n as i64,
        expires_ms: tenant.map(|_| NOW_MS),
    }
}

/// The administrator of an empty server is made once; whoever comes second is refused.
pub async fn the_first_user_comes_only_once(store: &dyn Store) {
    let made = store
        .create_first_user(&upkeep(), &user("root", true))
        .await;
    assert!(made.unwrap());
    for late in ["root", "eve"] {
        let made = store.create_first_user(&upkeep(), &user(late, true)).await;
        assert!(!made.unwrap(), "{late}");
    }
    assert!(store.account(&login("eve")).await.unwrap().is_none());
}

/// A caller comes with its role in each tenant; a role replaces the one before and can be taken.
pub async fn a_caller_is_known_with_all_its_roles(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    let server = world.server();
    assert!(
        store
            .create_user(&server, &user("ann", false))
            .await
            .unwrap()
    );
    let give = |scope: Scope<_>, role| async move {
        store.set_role(&scope, &login("ann"), role).await.unwrap()
    };
    let approver = |role| Grant {
        role,
        approver: true,
    };
    assert!(give(world.scope(), Some(approver(Role::Viewer))).await);
    assert!(give(other.scope(), Some(approver(Role::Promoter))).await);
    assert!(give(world.scope(), Some(Grant::of(Role::TenantAdmin))).await);
    let (kept, ann) = store.account(&login("ann")).await.unwrap().unwrap();
    assert_eq!(seen(&kept), ("ann", "hash of ann", false, NOW_MS, NOW_MS));
    let mut expected = Principal {
        login: login("ann"),
        system_admin: false,
        roles: [
            (world.tenant.clone(), Role::TenantAdmin),
            (other.tenant.clone(), Role::Promoter),
        ]
        .into(),
        approves: [other.tenant.clone()].into(),
    };
    assert_eq!(ann, expected);
    assert!(give(world.scope(), None).await);
    assert!(
        give(world.scope(), None).await,
        "taking what is not there harms nobody"
    );
    expected.roles.remove(&world.tenant);
    let (_, ann) = store.account(&login("ann")).await.unwrap().unwrap();
    assert_eq!(ann, expected);
    let nobody = store
        .set_role(&world.scope(), &login("bob"), Some(Grant::of(Role::Viewer)))
        .await;
    assert!(!nobody.unwrap());
    let all = store.users(&server).await.unwrap();
    let roles: Vec<_> = all
        .iter()
        .map(|(user, roles)| (user.login.as_str(), roles.len()))
        .collect();
    assert_eq!(roles, [("ann", 1), ("root", 2)]);
    assert_eq!(all[0].1[&other.tenant], approver(Role::Promoter));
}

/// A second user of a login is refused, and the first stays as it was.
pub async fn a_login_is_taken_once(store: &dyn Store) {
    let world = World::new(store).await;
    let server = world.server();
    assert!(
        store
            .create_user(&server, &user("ann", false))
            .await
            .unwrap()
    );
    let second = User {
        system_admin: true,
        ..user("ann", false)
    };
    assert!(!store.create_user(&server, &second).await.unwrap());
    assert!(
        store
            .create_user(&server, &user("Ann", false))
            .await
            .unwrap(),
        "case counts"
    );
    let (kept, _) = store.account(&login("ann")).await.unwrap().unwrap();
    assert!(!kept.system_admin);
}

/// A new password comes with its time; when the user was made does not change.
pub async fn a_password_is_replaced(store: &dyn Store) {
    let world = World::new(store).await;
    let changed = User {
        password_hash: "another hash".to_owned().into(),
        created_ms: 1,
        password_ms: NOW_MS + 5,
        ..user("root", true)
    };
    let replaced = store.replace_user(&world.server(), &changed).await;
    assert_eq!(replaced.unwrap(), Some(true));
    let (kept, _) = store.account(&login("root")).await.unwrap().unwrap();
    assert_eq!(
        seen(&kept),
        ("root", "another hash", true, NOW_MS, NOW_MS + 5)
    );
    let nobody = store
        .replace_user(&world.server(), &user("bob", false))
        .await;
    assert_eq!(nobody.unwrap(), Some(false));
}

/// Nobody can delete the last system administrator.
pub async fn the_last_system_administrator_stays(store: &dyn Store) {
    let world = World::new(store).await;
    let server = world.server();
    assert!(
        store
            .create_user(&server, &user("ann", false))
            .await
            .unwrap()
    );
    let answer = store.delete_user(&server, &login("root")).await.unwrap();
    assert_eq!(answer, None);
    let demoted = User {
        system_admin: false,
        password_ms: NOW_MS + 5,
        ..user("root", true)
    };
    let answer = store.replace_user(&server, &demoted).await.unwrap();
    assert_eq!(answer, None);
    let (kept, root) = store.account(&login("root")).await.unwrap().unwrap();
    assert!(
        root.roles.contains_key(&world.tenant),
        "nothing of it was deleted"
    );
    assert!(
        kept.system_admin && kept.password_ms == NOW_MS,
        "nor replaced"
    );
    assert!(
        store
            .create_user(&server, &user("bob", true))
            .await
            .unwrap()
    );
    let answer = store.replace_user(&server, &demoted).await.unwrap();
    assert_eq!(answer, Some(true), "there is another now");
    let answer = store.delete_user(&server, &login("root")).await.unwrap();
    assert_eq!(answer, Some(true));
    let answer = store.delete_user(&server, &login("root")).await.unwrap();
    assert_eq!(answer, Some(false));
}

/// A new user of an old login inherits nothing.
pub async fn a_deleted_user_leaves_no_role_and_no_token(store: &dyn Store) {
    let world = World::new(store).await;
    let server = world.server();
    assert!(
        store
            .create_user(&server, &user("ann", false))
            .await
            .unwrap()
    );
    let given = store
        .set_role(&world.scope(), &login("ann"), Some(Grant::of(Role::Viewer)))
        .await;
    assert!(given.unwrap());
    let (_, ann) = store.account(&login("ann")).await.unwrap().unwrap();
    store
        .create_token(&ann, &token(1, &ann, None))
        .await
        .unwrap();
    let answer = store.delete_user(&server, &login("ann")).await.unwrap();
    assert_eq!(answer, Some(true));
    let late = store.create_token(&ann, &token(2, &ann, None)).await;
    assert!(late.is_err(), "a token of nobody is not kept");
    assert!(
        store
            .create_user(&server, &user("ann", false))
            .await
            .unwrap()
    );
    let (_, again) = store.account(&login("ann")).await.unwrap().unwrap();
    assert!(again.roles.is_empty());
    assert_eq!(store.tokens(&again).await.unwrap(), []);
    assert_eq!(store.token_by_sha256(&digest(1)).await.unwrap(), None);
}

/// A caller sees and deletes its own tokens and nobody else's.
pub async fn tokens_belong_to_their_owner(store: &dyn Store) {
    let world = World::new(store).await;
    assert!(
        store
            .create_user(&world.server(), &user("ann", false))
            .await
            .unwrap()
    );
    let root = &world.principal;
    let (_, ann) = store.account(&login("ann")).await.unwrap().unwrap();
    let newer = token(1, root, None);
    let older = token(2, root, Some(&world.tenant));
    store.create_token(root, &newer).await.unwrap();
    store.create_token(root, &older).await.unwrap();
    assert_eq!(
        store.tokens(root).await.unwrap(),
        [older.clone(), newer.clone()]
    );
    assert_eq!(store.tokens(&ann).await.unwrap(), []);
    assert!(!store.delete_token(&ann, newer.id).await.unwrap());
    assert!(store.delete_token(root, newer.id).await.unwrap());
    assert!(!store.delete_token(root, newer.id).await.unwrap());
    assert_eq!(store.tokens(root).await.unwrap(), [older]);
}

/// A token is found by the digest of its text, also after it has ended.
pub async fn a_token_is_found_by_its_digest(store: &dyn Store) {
    let world = World::new(store).await;
    let ended = token(1, &world.principal, Some(&world.tenant));
    store.create_token(&world.principal, &ended).await.unwrap();
    assert_eq!(
        store.token_by_sha256(&digest(1)).await.unwrap(),
        Some(ended)
    );
    assert_eq!(store.token_by_sha256(&digest(2)).await.unwrap(), None);
}

/// A token for one tenant ends with it: it neither opens all tenants nor the next of that id.
pub async fn a_token_of_a_deleted_tenant_opens_nothing(store: &dyn Store) {
    let world = World::new(store).await;
    let narrow = token(1, &world.principal, Some(&world.tenant));
    let wide = token(2, &world.principal, None);
    store.create_token(&world.principal, &narrow).await.unwrap();
    store.create_token(&world.principal, &wide).await.unwrap();
    assert!(
        store
            .delete_tenant(&world.server(), &world.tenant)
            .await
            .unwrap()
    );
    let late = token(3, &world.principal, Some(&world.tenant));
    assert!(store.create_token(&world.principal, &late).await.is_err());
    assert!(world.create().await);
    assert_eq!(store.token_by_sha256(&digest(1)).await.unwrap(), None);
    assert_eq!(store.tokens(&world.principal).await.unwrap(), [wide]);
}

/// Whoever asks first gives the key that signs; all others get the same one.
pub async fn the_signing_key_is_the_first_one(store: &dyn Store) {
    let first = store.signing_key(&upkeep(), &[1; 32]).await.unwrap();
    let second = store.signing_key(&upkeep(), &[2; 32]).await.unwrap();
    assert_eq!((first, second), ([1; 32], [1; 32]));
}
