/* The rows. A new option is a row here, a field in struct options and, when no plain setter does, a
 * setter. */
#include "cli/options/option_table.h"

#include <stddef.h>

#include "cli/options/option_set.h"

#define LEVEL_MAX 10

/* Kinds of rows. ROW: what all have; the rest of its arguments are further fields of struct option. */
#define ROW(its_group, its_name, its_letters, its_help, ...)                                                 \
    {                                                                                                        \
        .group = (its_group), .name = (its_name), .letters = (its_letters), .help = (its_help), __VA_ARGS__  \
    }
#define FLAG(group, name, letters, member, help)                                                             \
    ROW(group, name, letters, help, .set = set_flag, .field = offsetof(struct options, member))
#define VALUE(group, name, letters, placeholder, setter, help)                                               \
    ROW(group, name, letters, help, .argument = ARGUMENT_REQUIRED, .metavar = (placeholder), .set = (setter))
#define WORD(group, name, setter, help) ROW(group, name, NULL, help, .set = (setter))
#define TEXT(group, name, letters, placeholder, member, help)                                                \
    ROW(group, name, letters, help, .argument = ARGUMENT_REQUIRED, .metavar = (placeholder),                 \
        .set = set_text, .field = offsetof(struct options, member))
#define COUNT(group, name, letters, placeholder, member, least, most, help)                                  \
    ROW(group, name, letters, help, .argument = ARGUMENT_REQUIRED, .metavar = (placeholder),                 \
        .set = set_count, .field = offsetof(struct options, member), .min = (least), .max = (most))
#define TIME(group, name, member, least_ms, most_ms, help)                                                   \
    ROW(group, name, NULL, help, .argument = ARGUMENT_REQUIRED, .metavar = "TIME", .set = set_duration,      \
        .field = offsetof(struct options, member), .min = (least_ms), .max = (most_ms))
#define RATE(group, name, member, help)                                                                      \
    ROW(group, name, NULL, help, .argument = ARGUMENT_REQUIRED, .metavar = "N", .set = set_rate,             \
        .field = offsetof(struct options, member))
#define LEVEL(group, name, letters, member, help)                                                            \
    ROW(group, name, letters, help, .argument = ARGUMENT_LEVEL, .set = set_level,                            \
        .field = offsetof(struct options, member), .max = LEVEL_MAX, .repeats = true)
#define SCAN(letters, technique, help)                                                                       \
    ROW(GROUP_SCANS, NULL, letters, help, .set = set_scan, .detail = (technique))
#define SCAN_VIA(letters, placeholder, technique, help)                                                      \
    ROW(GROUP_SCANS, NULL, letters, help, .argument = ARGUMENT_REQUIRED, .metavar = (placeholder),           \
        .set = set_scan_via, .detail = (technique))
#define PING(letters, technique, help)                                                                       \
    ROW(GROUP_DISCOVERY, NULL, letters, help, .set = set_ping, .detail = (technique))
#define PING_PORTS(letters, technique, help)                                                                 \
    ROW(GROUP_DISCOVERY, NULL, letters, help, .argument = ARGUMENT_GLUED, .metavar = "PORTS",                \
        .set = set_ping, .detail = (technique))
#define FILE_OUTPUT(letters, help)                                                                           \
    ROW(GROUP_OUTPUT, NULL, letters, help, .argument = ARGUMENT_REQUIRED, .metavar = "FILE",                 \
        .set = set_output)
#define ABSENT(name, letters, instead) ROW(GROUP_ABSENT, name, letters, instead, .set = set_absent)

const struct option option_table[] = {
    TEXT(GROUP_TARGETS, NULL, "iL", "FILE", input_file, "read targets from a file, - for standard input"),
    TEXT(GROUP_TARGETS, "exclude", NULL, "TARGETS", exclude, "leave out these targets, separated by commas"),
    TEXT(GROUP_TARGETS, "excludefile", NULL, "FILE", exclude_file, "leave out the targets in a file"),
    FLAG(GROUP_TARGETS, "resolve-all", NULL, resolve_all, "scan every address of a name, not only the first"),
    FLAG(GROUP_TARGETS, NULL, "6", ipv6, "use the IPv6 addresses of names"),
    FLAG(GROUP_TARGETS, "allow-special", NULL, allow_special,
         "scan 0/8, 224/4, 240/4, ff00::/8 and broadcast addresses too"),
    VALUE(GROUP_TARGETS, "shard", NULL, "I/N", set_shard, "scan only the I-th of N equal parts of the hosts"),
    VALUE(GROUP_TARGETS, "seed", NULL, "N", set_seed,
          "order hosts and ports by this number, so that the order can be repeated"),

    FLAG(GROUP_DISCOVERY, NULL, "sn", discovery_only, "find out which hosts are up and scan no ports"),
    FLAG(GROUP_DISCOVERY, NULL, "Pn", assume_up, "take every host as up"),
    PING_PORTS("PS", "ping-syn", "TCP SYN to these ports, 80 if none are given"),
    PING_PORTS("PA", "ping-ack", "TCP ACK to these ports, 80 if none are given"),
    PING_PORTS("PU", "ping-udp", "UDP to these ports, 40125 if none are given"),
    PING_PORTS("PY", "ping-sctp", "SCTP INIT to these ports, 80 if none are given"),
    PING("PE", "echo", "ICMP echo request"),
    PING("PP", "timestamp", "ICMP timestamp request"),
    PING("PR", "neighbor", "ARP or neighbour solicitation, which is always used on attached networks"),
    FLAG(GROUP_DISCOVERY, "disable-arp-ping", NULL, no_neighbor,
         "ask hosts on attached networks like all others"),

    SCAN("sS", "syn", "TCP SYN scan, the default with raw sockets"),
    SCAN("sT", "connect", "TCP connect scan, the default without"),
    SCAN("sU", "udp", "UDP scan"),
    SCAN("sY", "sctpinit", "SCTP INIT scan"),
    SCAN("sN", "null", "TCP scan without flags"),
    SCAN("sF", "fin", "TCP FIN scan"),
    SCAN("sX", "xmas", "TCP FIN, PSH and URG scan"),
    SCAN("sM", "maimon", "TCP FIN and ACK scan"),
    SCAN("sA", "ack", "TCP ACK scan: which ports are filtered"),
    SCAN("sW", "window", "TCP ACK scan that reads the window of the resets"),
    SCAN("sZ", "sctpcookieecho", "SCTP COOKIE-ECHO scan"),
    SCAN("sO", "ipproto", "IP protocol scan"),
    SCAN("s0", "ipproto", "the same as -sO"),
    SCAN_VIA("sI", "HOST[:PORT]", "idle", "idle scan through another host, the zombie"),
    SCAN_VIA("b", "[USER[:PASS]@]HOST[:PORT]", "bounce", "bounce scan through an FTP server"),
    TEXT(GROUP_SCANS, "find-zombie", NULL, "RANGE", find_zombie,
         "try which hosts are fit for -sI, and list them, the best first"),
    FLAG(GROUP_SCANS, "verify", NULL, verify,
         "connect to the open ports of -sS, and see whether they acknowledge data"),
    VALUE(GROUP_SCANS, "scanflags", NULL, "FLAGS", set_scan_flags,
          "TCP flags of the probes, such as SYNFIN or 3, judged as the technique chosen"),

    TEXT(GROUP_PORTS, NULL, "p", "PORTS", ports,
         "scan these ports: 22,80,1000-2000,http*,U:53,T:-100, - for all"),
    FLAG(GROUP_PORTS, NULL, "F", fast, "scan the 100 most common ports instead of 1000"),
    COUNT(GROUP_PORTS, "top-ports", NULL, "N", top_ports, 1, 65535, "scan the N most common ports"),
    TEXT(GROUP_PORTS, "exclude-ports", NULL, "PORTS", exclude_ports, "leave out these ports"),
    TEXT(GROUP_PORTS, "servicedb", NULL, "FILE", service_file,
         "read names and frequencies of ports from a file in the format of nmap-services"),
    FLAG(GROUP_PORTS, NULL, "r", in_order, "ports in ascending order"),

    VALUE(GROUP_TIMING, "timing", "T", "0..5", set_template,
          "timing template: paranoid, sneaky, polite, normal, aggressive, insane"),
    RATE(GROUP_TIMING, "min-rate", min_rate_pps, "send at least N packets a second"),
    RATE(GROUP_TIMING, "max-rate", max_rate_pps, "send at most N packets a second"),
    VALUE(GROUP_TIMING, "confidence", NULL, "P", set_confidence,
          "how sure silence must be: a chance of error (1e-6 if not given) or a share (99.99%)"),
    COUNT(GROUP_TIMING, "workers", NULL, "N", workers, 1, WORKERS_MAX,
          "scan with N processes, each with a part of the hosts, on as many cores"),
    COUNT(GROUP_TIMING, "max-retries", NULL, "N", max_retries, 0, 15,
          "ask a silent port at most N times more"),
    TIME(GROUP_TIMING, "min-rtt-timeout", min_rtt_timeout_ns, 1, 3600000,
         "wait at least so long for an answer"),
    TIME(GROUP_TIMING, "max-rtt-timeout", max_rtt_timeout_ns, 5, 3600000,
         "wait at most so long for an answer"),
    TIME(GROUP_TIMING, "initial-rtt-timeout", initial_rtt_timeout_ns, 1, 3600000,
         "wait so long before anything is known of a host"),
    TIME(GROUP_TIMING, "host-timeout", host_timeout_ns, 0, UINT64_C(31536000000),
         "give up on a host after so long, 0 for never"),
    TIME(GROUP_TIMING, "scan-delay", scan_delay_ns, 0, 86400000,
         "leave at least so long between probes to one host"),

    TEXT(GROUP_PACKETS, NULL, "e", "INTERFACE", interface, "send through this interface"),
    TEXT(GROUP_PACKETS, NULL, "S", "ADDRESS", source, "send from this address"),
    TEXT(GROUP_PACKETS, "source-pool", NULL, "ADDRESSES", source_pool,
         "ask hosts that limit their ICMP errors from these own addresses too"),
    FLAG(GROUP_PACKETS, "source-pool-foreign", NULL, source_pool_foreign,
         "take addresses for --source-pool that are not of this machine"),
    COUNT(GROUP_PACKETS, "source-port", "g", "PORT", source_port, 1, 65535, "send from this port"),
    COUNT(GROUP_PACKETS, "ttl", NULL, "N", ttl, 1, 255, "time to live, or hop limit, of the probes"),
    VALUE(GROUP_PACKETS, "data", NULL, "HEX", set_data_hex, "append these bytes to the probes"),
    VALUE(GROUP_PACKETS, "data-string", NULL, "TEXT", set_data_string, "append this text to the probes"),
    VALUE(GROUP_PACKETS, "data-length", NULL, "N", set_data_length, "append N random bytes to the probes"),
    TEXT(GROUP_PACKETS, "backend", NULL, "NAME", backend,
         "packet, xdp, kernel, raw, connect or best; portolan doctor says what works"),
    FLAG(GROUP_PACKETS, "privileged", NULL, privileged, "insist on raw sockets"),
    FLAG(GROUP_PACKETS, "unprivileged", NULL, unprivileged,
         "do without raw sockets, even where they are allowed"),

    FILE_OUTPUT("oN", "normal output, for people"),
    FILE_OUTPUT("oX", "XML"),
    FILE_OUTPUT("oG", "one line a host, for grep"),
    FILE_OUTPUT("oJ", "JSON lines"),
    FILE_OUTPUT("oL", "address:port of each open port as it is found"),
    FILE_OUTPUT("oA", "all of these with a suffix of their own: FILE.nmap, FILE.xml and so on"),
    TEXT(GROUP_OUTPUT, "pcap", NULL, "FILE", pcap,
         "write the packets that decided to a file of the format pcapng"),
    FLAG(GROUP_OUTPUT, "json", NULL, json, "JSON lines, of portolan diff"),
    TEXT(GROUP_OUTPUT, "store", NULL, "FILE", store,
         "keep everything in a file, from which portolan resume and portolan report go on"),
    LEVEL(GROUP_OUTPUT, "verbose", "v", verbosity, "say more; again, or -vN, for still more"),
    LEVEL(GROUP_OUTPUT, "debug", "d", debugging, "say what goes on inside; again, or -dN, for more"),
    FLAG(GROUP_OUTPUT, "reason", NULL, reason, "show why each port has its state"),
    FLAG(GROUP_OUTPUT, "open", NULL, open_only, "show only open ports and those that may be"),
    FLAG(GROUP_OUTPUT, "packet-trace", NULL, packet_trace, "show every packet sent and received"),
    TIME(GROUP_OUTPUT, "stats-every", stats_every_ns, 100, 86400000,
         "say how far the scan is, every so often"),
    TEXT(GROUP_OUTPUT, "then", NULL, "CMD", then,
         "run a command for each finished host with open ports; {host} and {ports} stand for them"),
    WORD(GROUP_OUTPUT, "color", set_color, "color the output even where it is no terminal"),
    WORD(GROUP_OUTPUT, "no-color", set_no_color, "never color the output"),

    FLAG(GROUP_GENERAL, NULL, "n", no_names, "look up no names of addresses"),
    FLAG(GROUP_GENERAL, NULL, "R", all_names, "look up the names of hosts that are down too"),
    TEXT(GROUP_GENERAL, "dns-servers", NULL, "SERVERS", dns_servers,
         "ask these name servers, separated by commas"),
    FLAG(GROUP_GENERAL, "no-sandbox", NULL, no_sandbox,
         "do not limit the system calls and files of the processes"),
    FLAG(GROUP_GENERAL, "help", "h", help, "show this help"),
    FLAG(GROUP_GENERAL, "version", "V", version, "show the version"),

    ABSENT(NULL, "sV", "find the ports first, then detect versions with --then 'nmap -sV -p {ports} {host}'"),
    ABSENT(NULL, "sC", "find the ports first, then run scripts with --then 'nmap -sC -p {ports} {host}'"),
    ABSENT(NULL, "O", "find the ports first, then guess the system with --then 'nmap -O -p {ports} {host}'"),
    ABSENT(NULL, "A", "find the ports first, then look closer with --then 'nmap -A -p {ports} {host}'"),
    ABSENT("script", NULL,
           "find the ports first, then run scripts with --then 'nmap --script NAME -p {ports} {host}'"),
    ABSENT("script-args", NULL, "it runs no scripts"),
    ABSENT("version-intensity", NULL, "it detects no versions"),
    ABSENT("version-all", NULL, "it detects no versions"),
    ABSENT("osscan-guess", NULL, "it guesses no systems"),
    ABSENT("traceroute", NULL, "use traceroute or mtr"),
    ABSENT(NULL, "sL", "it has no list scan"),
    ABSENT(NULL, "PO", "use -PE, -PS, -PA or -PU"),
    ABSENT(NULL, "PM", "use -PE or -PP"),
    ABSENT(NULL, "iR", "it scans only targets that are named"),
    ABSENT(NULL, "f", "it sends no fragments"),
    ABSENT("mtu", NULL, "it sends no fragments"),
    ABSENT(NULL, "D", "it sends only from addresses of this machine"),
    ABSENT("spoof-mac", NULL, "it sends only from addresses of this machine"),
    ABSENT("badsum", NULL, "it sends only right checksums"),
    ABSENT("adler32", NULL, "SCTP checksums are always CRC32c"),
    ABSENT("ip-options", NULL, "it sends no IP options"),
    ABSENT("proxies", NULL, "it scans without proxies"),
    ABSENT("send-eth", NULL, "use --backend packet"),
    ABSENT("send-ip", NULL, "use --backend raw"),
    ABSENT("iflist", NULL, "use ip address and ip route"),
    ABSENT("system-dns", NULL, "use -n, or --dns-servers"),
    ABSENT("randomize-hosts", NULL, "hosts are always scanned in a random order"),
    ABSENT("append-output", NULL, "it always starts a new file"),
    ABSENT("stylesheet", NULL, "its XML names no stylesheet"),
    ABSENT(NULL, "oS", "use -oN"),
    ABSENT("port-ratio", NULL, "use --top-ports"),
    ABSENT("min-hostgroup", NULL, "it has no groups of hosts"),
    ABSENT("max-hostgroup", NULL, "it has no groups of hosts"),
    ABSENT("min-parallelism", NULL, "use --min-rate"),
    ABSENT("max-parallelism", NULL, "use --max-rate"),
    ABSENT("max-scan-delay", NULL, "use --scan-delay"),
    ABSENT("defeat-rst-ratelimit", NULL, "limits are learned from the answers"),
    ABSENT("defeat-icmp-ratelimit", NULL, "limits are learned from the answers"),
    ABSENT("unique", NULL, "each address is always scanned once"),
};

const unsigned option_table_len = sizeof option_table / sizeof option_table[0];
