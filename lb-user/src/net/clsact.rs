//! BPF filters of the clsact qdisc: how programs hang at tc hooks on kernels before 6.6.

use anyhow::{Context as _, Result};
use futures_util::TryStreamExt as _;
use netlink_packet_route::tc::{TcAttribute, TcFilterBpfOption, TcHandle, TcMessage, TcOption};
use rustix::io::Errno;

use super::{Handle, explained, is_one_of};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Ingress,
    Egress,
}

/// A BPF filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filter {
    pub priority: u16,
    pub handle: u32,
    /// The program's id.
    pub program: u32,
}

/// Lists the BPF filters of interface `index`, in the order they are asked.
pub async fn filters(netlink: &Handle, index: u32, direction: Direction) -> Result<Vec<Filter>> {
    let filters = dump(netlink, index, direction).await?;
    Ok(filters.iter().filter_map(filter).collect())
}

/// Removes the qdisc, unless somebody has a filter in it.
pub async fn remove_if_empty(netlink: &Handle, index: u32) -> Result<()> {
    for direction in [Direction::Ingress, Direction::Egress] {
        if !dump(netlink, index, direction).await?.is_empty() {
            return Ok(());
        }
    }
    let mut request = netlink.qdisc().del(index as i32);
    request.message_mut().header.parent = TcHandle::CLSACT;
    match request.execute().await {
        Ok(()) => Ok(()),
        // It is gone already.
        Err(error) if is_one_of(&error, &[Errno::NOENT, Errno::INVAL, Errno::NODEV]) => Ok(()),
        Err(error) => Err(explained(error)).context("cannot remove the clsact qdisc"),
    }
}

async fn dump(netlink: &Handle, index: u32, direction: Direction) -> Result<Vec<TcMessage>> {
    let request = netlink.traffic_filter(index as i32).get();
    let filters = match direction {
        Direction::Ingress => request.ingress(),
        Direction::Egress => request.egress(),
    };
    match filters.execute().try_collect().await {
        Ok(filters) => Ok(filters),
        Err(error) if is_one_of(&error, &[Errno::NODEV]) => Ok(Vec::new()),
        Err(error) => Err(explained(error)).context("cannot list the filters"),
    }
}

fn filter(message: &TcMessage) -> Option<Filter> {
    let program = message.attributes.iter().find_map(|attribute| {
        let TcAttribute::Options(options) = attribute else {
            return None;
        };
        options.iter().find_map(|option| {
            if let TcOption::Bpf(TcFilterBpfOption::ProgId(id)) = option {
                Some(*id)
            } else {
                None
            }
        })
    })?;
    let header = &message.header;
    Some(Filter {
        priority: (header.info >> 16) as u16,
        handle: header.handle.into(),
        program,
    })
}
