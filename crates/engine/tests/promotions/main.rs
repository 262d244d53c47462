//! Stories of promotions, told on an engine over the embedded store with its runner at work.

mod attachments;
mod catalogue;
mod changes;
mod first_delivery;
mod locks;
mod old_news;
mod own_fields;
mod random;
mod references;
mod releases;
mod removals;
mod world;
