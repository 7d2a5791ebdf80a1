//! The options of ipvsadm: their names, and what stands behind them.

use super::command::Command;
use crate::service::Transport;

/// What commands allow or do not, in ipvsadm's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opt {
    Numeric,
    Connection,
    Service,
    Scheduler,
    Persistent,
    Netmask,
    Server,
    Forward,
    Weight,
    Uthreshold,
    Lthreshold,
    Mcast,
    Timeout,
    Daemon,
    Stats,
    Rate,
    Thresholds,
    PersistentConn,
    Nosort,
    Syncid,
    Exact,
    Ops,
    Pe,
    SchedFlags,
    McastGroup,
    McastPort,
    McastTtl,
    SyncMaxlen,
    TunInfo,
    TunType,
    TunPort,
    TunNocsum,
    TunCsum,
    TunRemcsum,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Command(Command),
    Help,
    Version,
    Service(Transport),
    Mark,
    Ipv6,
    Sort,
    /// How packets get to a real server.
    Forward(Forward),
    Of(Opt),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Forward {
    Gate,
    Tunnel,
    Masquerade,
}

/// What stands behind an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    None,
    Some,
    Maybe,
}

pub(super) struct Row {
    pub(super) long: &'static str,
    pub(super) short: Option<char>,
    pub(super) value: Value,
    pub(super) key: Key,
}

const fn row(long: &'static str, short: char, value: Value, key: Key) -> Row {
    let short = if short == ' ' { None } else { Some(short) };
    Row {
        long,
        short,
        value,
        key,
    }
}

#[rustfmt::skip]
pub(super) const ROWS: [Row; 58] = [
    row("add-service", 'A', Value::None, Key::Command(Command::AddService)),
    row("edit-service", 'E', Value::None, Key::Command(Command::EditService)),
    row("delete-service", 'D', Value::None, Key::Command(Command::DeleteService)),
    row("clear", 'C', Value::None, Key::Command(Command::Flush)),
    row("list", 'L', Value::None, Key::Command(Command::List)),
    row("list", 'l', Value::None, Key::Command(Command::List)),
    row("zero", 'Z', Value::None, Key::Command(Command::Zero)),
    row("add-server", 'a', Value::None, Key::Command(Command::AddServer)),
    row("edit-server", 'e', Value::None, Key::Command(Command::EditServer)),
    row("delete-server", 'd', Value::None, Key::Command(Command::DeleteServer)),
    row("set", ' ', Value::None, Key::Command(Command::Set)),
    row("help", 'h', Value::None, Key::Help),
    row("version", 'v', Value::None, Key::Version),
    row("restore", 'R', Value::None, Key::Command(Command::Restore)),
    row("save", 'S', Value::None, Key::Command(Command::Save)),
    row("start-daemon", ' ', Value::Some, Key::Command(Command::StartDaemon)),
    row("stop-daemon", ' ', Value::Some, Key::Command(Command::StopDaemon)),
    row("tcp-service", 't', Value::Some, Key::Service(Transport::Tcp)),
    row("udp-service", 'u', Value::Some, Key::Service(Transport::Udp)),
    row("sctp-service", ' ', Value::Some, Key::Service(Transport::Sctp)),
    row("fwmark-service", 'f', Value::Some, Key::Mark),
    row("scheduler", 's', Value::Some, Key::Of(Opt::Scheduler)),
    row("persistent", 'p', Value::Maybe, Key::Of(Opt::Persistent)),
    row("netmask", 'M', Value::Some, Key::Of(Opt::Netmask)),
    row("real-server", 'r', Value::Some, Key::Of(Opt::Server)),
    row("masquerading", 'm', Value::None, Key::Forward(Forward::Masquerade)),
    row("ipip", 'i', Value::None, Key::Forward(Forward::Tunnel)),
    row("gatewaying", 'g', Value::None, Key::Forward(Forward::Gate)),
    row("weight", 'w', Value::Some, Key::Of(Opt::Weight)),
    row("u-threshold", 'x', Value::Some, Key::Of(Opt::Uthreshold)),
    row("l-threshold", 'y', Value::Some, Key::Of(Opt::Lthreshold)),
    row("numeric", 'n', Value::None, Key::Of(Opt::Numeric)),
    row("connection", 'c', Value::None, Key::Of(Opt::Connection)),
    row("mcast-interface", ' ', Value::Some, Key::Of(Opt::Mcast)),
    row("syncid", ' ', Value::Some, Key::Of(Opt::Syncid)),
    row("timeout", ' ', Value::None, Key::Of(Opt::Timeout)),
    row("daemon", ' ', Value::None, Key::Of(Opt::Daemon)),
    row("stats", ' ', Value::None, Key::Of(Opt::Stats)),
    row("rate", ' ', Value::None, Key::Of(Opt::Rate)),
    row("thresholds", ' ', Value::None, Key::Of(Opt::Thresholds)),
    row("persistent-conn", ' ', Value::None, Key::Of(Opt::PersistentConn)),
    row("nosort", ' ', Value::None, Key::Of(Opt::Nosort)),
    row("sort", ' ', Value::None, Key::Sort),
    row("exact", 'X', Value::None, Key::Of(Opt::Exact)),
    row("ipv6", '6', Value::None, Key::Ipv6),
    row("ops", 'o', Value::None, Key::Of(Opt::Ops)),
    row("pe", ' ', Value::Some, Key::Of(Opt::Pe)),
    row("sched-flags", 'b', Value::Some, Key::Of(Opt::SchedFlags)),
    row("mcast-group", ' ', Value::Some, Key::Of(Opt::McastGroup)),
    row("mcast-port", ' ', Value::Some, Key::Of(Opt::McastPort)),
    row("mcast-ttl", ' ', Value::Some, Key::Of(Opt::McastTtl)),
    row("sync-maxlen", ' ', Value::Some, Key::Of(Opt::SyncMaxlen)),
    row("tun-info", ' ', Value::None, Key::Of(Opt::TunInfo)),
    row("tun-type", ' ', Value::Some, Key::Of(Opt::TunType)),
    row("tun-port", ' ', Value::Some, Key::Of(Opt::TunPort)),
    row("tun-nocsum", ' ', Value::None, Key::Of(Opt::TunNocsum)),
    row("tun-csum", ' ', Value::None, Key::Of(Opt::TunCsum)),
    row("tun-remcsum", ' ', Value::None, Key::Of(Opt::TunRemcsum)),
];

impl Opt {
    #[rustfmt::skip]
    pub(super) const ALL: [Self; 34] = [
        Self::Numeric, Self::Connection, Self::Service, Self::Scheduler, Self::Persistent, Self::Netmask,
        Self::Server, Self::Forward, Self::Weight, Self::Uthreshold, Self::Lthreshold, Self::Mcast,
        Self::Timeout, Self::Daemon, Self::Stats, Self::Rate, Self::Thresholds, Self::PersistentConn,
        Self::Nosort, Self::Syncid, Self::Exact, Self::Ops, Self::Pe, Self::SchedFlags, Self::McastGroup,
        Self::McastPort, Self::McastTtl, Self::SyncMaxlen, Self::TunInfo, Self::TunType, Self::TunPort,
        Self::TunNocsum, Self::TunCsum, Self::TunRemcsum,
    ];

    /// In messages: that of its row, but where several rows are one.
    pub(super) fn name(self) -> &'static str {
        let mut rows = ROWS.iter();
        match rows.find(|row| row.key == Key::Of(self)) {
            Some(row) => row.long,
            None if self == Self::Service => "service-address",
            None => "forwarding-method",
        }
    }
}
