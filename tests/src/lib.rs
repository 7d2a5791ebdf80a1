//! Hosts on a LAN, made of network namespaces.
