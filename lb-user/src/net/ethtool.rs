//! What drivers do with frames before anybody sees them, by ethtool's netlink; and what XDP they have, by
//! the family `netdev`.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use ethtool::{
    EthtoolAttr, EthtoolChannelAttr, EthtoolError, EthtoolFeatureAttr, EthtoolHandle,
    EthtoolMessage,
};
use futures_util::{Stream, TryStreamExt as _};
use netlink_packet_generic::GenlMessage;

use super::netdev;

/// What is asked for an interface.
#[derive(Clone, Debug)]
pub struct Ethtool(EthtoolHandle);

/// How a driver's interface is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Driver {
    /// Offloads that are on, as the kernel names them (net/ethtool/common.c).
    pub offloads: BTreeSet<String>,
    /// Receive queues, combined ones among them: how many are in use, and how many there can be.
    pub queues: Option<(u32, u32)>,
    /// Whether a queue receives and sends.
    pub are_combined: bool,
    /// `None` before Linux 6.3, which does not tell.
    pub xdp: Option<netdev::Xdp>,
}

impl Ethtool {
    /// Opens a netlink socket, as [`super::connect`] does.
    pub fn connect() -> Result<Self> {
        let opened = ethtool::new_connection();
        let (connection, handle, _) = opened.context("cannot open a generic netlink socket")?;
        tokio::spawn(connection);
        Ok(Self(handle))
    }

    /// Asks for what an interface has. What its driver does not tell is empty.
    pub async fn driver(&mut self, name: &str, index: u32) -> Result<Driver> {
        let mut driver = Driver::default();
        for attribute in collect(self.0.feature().get(Some(name)).execute().await).await {
            if let EthtoolAttr::Feature(EthtoolFeatureAttr::Active(bits)) = attribute {
                let on = bits.into_iter().filter(|bit| bit.value);
                driver.offloads.extend(on.map(|bit| bit.name));
            }
        }
        let (mut count, mut most) = (0, 0);
        for attribute in collect(self.0.channel().get(Some(name)).execute().await).await {
            let EthtoolAttr::Channel(attribute) = attribute else {
                continue;
            };
            if let EthtoolChannelAttr::RxCount(n) | EthtoolChannelAttr::CombinedCount(n) = attribute
            {
                count += n;
            } else if let EthtoolChannelAttr::RxMax(n) = attribute {
                most += n;
            } else if let EthtoolChannelAttr::CombinedMax(n) = attribute {
                most += n;
                driver.are_combined = n > 0;
            }
        }
        driver.queues = Some((count, most)).filter(|(count, _)| *count > 0);
        driver.xdp = netdev::xdp(&mut self.0, index).await;
        Ok(driver)
    }
}

/// All that an answer says; a driver that does not know the question says nothing.
async fn collect<S>(answer: Result<S, EthtoolError>) -> Vec<EthtoolAttr>
where
    S: Stream<Item = Result<GenlMessage<EthtoolMessage>, EthtoolError>>,
{
    let Ok(answer) = answer else {
        return Vec::new();
    };
    let messages: Vec<_> = answer.try_collect().await.unwrap_or_default();
    let attributes = messages.into_iter().map(|message| message.payload.nlas);
    attributes.flatten().collect()
}
