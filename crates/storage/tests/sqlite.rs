//! The conformance suite on the embedded store.

mod common;

macro_rules! store_tests {
    ($($group:ident { $($story:ident)* })*) => {$(
        mod $group {
            $(
                #[tokio::test]
                async fn $story() {
                    let (_folder, embedded) = crate::common::fresh().await;
                    dev2prod_testkit::conformance::$group::$story(&*embedded.store).await;
                }
            )*
        }
    )*};
}
dev2prod_testkit::for_each_store_story!(store_tests);

macro_rules! blob_tests {
    ($($group:ident { $($story:ident)* })*) => {$(
        mod $group {
            $(
                #[tokio::test]
                async fn $story() {
                    let (_folder, embedded) = crate::common::fresh().await;
                    dev2prod_testkit::conformance::$group::$story(&*embedded.blobs).await;
                }
            )*
        }
    )*};
}
dev2prod_testkit::for_each_blob_story!(blob_tests);
