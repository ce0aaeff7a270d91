/* Drops every frame at the interface that it is attached to: the cheapest other end there is. For
 * blast.py. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("xdp")
int drop(struct xdp_md *ctx)
{
    (void)ctx;
    return XDP_DROP;
}

/* Takes every frame, and lets it pass: an interface with a program accepts frames from the kernel
 * transmitter. */
SEC("xdp.pass")
int pass(struct xdp_md *ctx)
{
    (void)ctx;
    return XDP_PASS;
}
