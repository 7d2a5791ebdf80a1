//! `drover explain` on a LAN: what it says of packets, and what then becomes of them.

mod captures;
mod members;
mod packets;
mod site;
