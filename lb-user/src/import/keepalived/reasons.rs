//! Why words of keepalived.conf(5) are not carried over, and what to do in place of them.

const VRRP: &str = "VRRP stays keepalived's: keep it there, without the virtual_server blocks; `vip = \"external\"` then leaves the VIPs to it";
const EVENTS: &str = "no scripts are run; `drover events -f -o json` tells of each change";
const MAIL: &str = "no mail is sent; `drover events -f -o json` tells of each change";
const SNMP: &str = "there is no SNMP";
const OWN_WAY: &str =
    "a check goes to the VIP on each real server, by a way and from ports of its own";

/// Of a block or line outside of all.
pub(super) fn of_top(word: &str) -> &'static str {
    match word {
        "global_defs" => "nothing of it is the director's but lvs_timeouts; no mail is sent",
        "vrrp_instance"
        | "vrrp_sync_group"
        | "vrrp_script"
        | "vrrp_track_process"
        | "vrrp_track_file"
        | "garp_group"
        | "track_group"
        | "static_track_group"
        | "linkbeat_interfaces"
        | "linkbeat_use_polling"
        | "interface_up_down_delays" => VRRP,
        "static_ipaddress" | "static_routes" | "static_rules" => {
            "addresses, routes and rules are the host's network configuration's, or stay keepalived's"
        }
        "track_file" => {
            "FILE_CHECK is not carried over, and a VRRP instance's file stays keepalived's"
        }
        "bfd_instance" => "there is no BFD",
        "SSL" => {
            "the checks have no client certificate; `verify` and `ca` of a check are how its server's is verified"
        }
        "net_namespace"
        | "net_namespace_ipvs"
        | "instance"
        | "use_pid_dir"
        | "namespace_with_ipsets" => "run `drover director` in that network namespace",
        _ if word.starts_with('@') => CONDITIONAL,
        _ => UNKNOWN,
    }
}

/// Of a line of a virtual_server.
pub(super) fn of_virtual_server(word: &str) -> &'static str {
    match word {
        "quorum_up" | "quorum_down" => EVENTS,
        "omega" => "it is for scripts at shutdown, which there are none of",
        "smtp_alert" => MAIL,
        "snmp_name" => SNMP,
        "ha_suspend" => "checks go on whether or not the director has the VIP",
        "persistence_engine" => "clients come back by their address alone",
        "sorry_server_inhibit" => "a sorry server is not checked",
        "ip_family" => "the VIPs say it",
        _ if word.starts_with('@') => CONDITIONAL,
        _ => UNKNOWN,
    }
}

pub(super) fn of_real_server(word: &str) -> &'static str {
    match word {
        "notify_up" | "notify_down" => EVENTS,
        "smtp_alert" => MAIL,
        "snmp_name" => SNMP,
        "BFD_CHECK" => "there is no BFD; another check is quick with a short `interval`",
        "FILE_CHECK" => {
            "in keepalived's file 0 is good and numbers are added to the weight; a check of kind `file` is good while the file is there and does not say 0 or less"
        }
        _ if word.starts_with('@') => CONDITIONAL,
        _ => UNKNOWN,
    }
}

pub(super) fn of_checker(word: &str) -> &'static str {
    match word {
        "connect_ip" | "bindto" | "bind_if" | "bind_port" | "fwmark" => OWN_WAY,
        "host" => "a block of earlier versions; say its connect_port in SMTP_CHECK itself",
        "log_all_failures" => "failures are told as a real server's state changes",
        "http_protocol" => "a check speaks HTTP/1.1",
        "digest" => {
            "it is MD5; `digest` of a check is \"sha256:…\" of the body, as `sha256sum` prints it"
        }
        "regex_no_match" => "a body can be asked to match, not to not match",
        "regex_options" | "regex_min_offset" | "regex_max_offset" | "regex_stack" => {
            "the whole body is looked at, by a regular expression of Rust's, which takes options as in (?i)"
        }
        "misc_dynamic" => "a script says good or bad; weights are changed by `drover real edit`",
        "user" => "scripts run with the daemon's rights; `setpriv` in `command` takes them away",
        "min_reply_length" | "max_reply_length" => {
            "what an answer must have is `expect`, a regular expression"
        }
        _ if word.starts_with('@') => CONDITIONAL,
        _ => UNKNOWN,
    }
}

const CONDITIONAL: &str =
    "a line for one of several hosts; take off the `@…` of those that are for this one";
const UNKNOWN: &str = "not known";
