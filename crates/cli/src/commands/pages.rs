//! Lists that come in pages.

use dev2prod_client::ClientError;

/// The most items that are asked for at once.
const PAGE: u32 = 1_000;

/// A page of a list.
pub(crate) trait Paged {
    /// What it lists.
    type Item;

    /// Its items, which it has no more then, and where the next page begins, if there is one.
    fn take(&mut self) -> (Vec<Self::Item>, Option<String>);
}

macro_rules! paged {
    ($($page:ty => $item:ty;)*) => {$(
        impl Paged for $page {
            type Item = $item;

            fn take(&mut self) -> (Vec<$item>, Option<String>) {
                (std::mem::take(&mut self.items), self.next_cursor.clone())
            }
        }
    )*};
}
paged! {
    dev2prod_client::api::AuditPage => dev2prod_client::api::AuditItem;
    dev2prod_client::api::ChangesPage => dev2prod_client::api::Change;
    dev2prod_client::api::DriftPage => dev2prod_client::api::DriftItem;
    dev2prod_client::api::PastPage => dev2prod_client::api::PastVersion;
}

/// The first items of a list, so many (0: all), and the last page that was read for them: it tells
/// whether there are more.
/// `page` gets where a page begins and how many items it is to have.
pub(crate) async fn first<P: Paged>(
    most: usize,
    mut page: impl AsyncFnMut(Option<String>, u32) -> Result<P, ClientError>,
) -> Result<(Vec<P::Item>, P), ClientError> {
    let most = if most == 0 { usize::MAX } else { most };
    let mut items = Vec::new();
    let mut cursor = None;
    loop {
        let left = u32::try_from(most - items.len()).unwrap_or(u32::MAX);
        let mut read = page(cursor, left.min(PAGE)).await?;
        let (mut more, next) = read.take();
        items.append(&mut more);
        if next.is_none() || items.len() >= most {
            return Ok((items, read));
        }
        cursor = next;
    }
}
