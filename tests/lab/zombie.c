/* A host with a real stack that numbers all its packets with one counter, as idle scans need: lwIP on a TAP
 * device.
 *
 *     zombie DEVICE ADDRESS MASK GATEWAY
 *
 * Every TCP port is closed. Prints "ready" when it answers. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <lwip/netif.h>
#include <lwip/tcpip.h>
#include <netif/tapif.h>

struct place {
    ip4_addr_t address, mask, gateway;
    struct netif netif;
};

static void raise_host(void *argument)
{
    struct place *place = argument;
    if (!netif_add(&place->netif, &place->address, &place->mask, &place->gateway, NULL, tapif_init,
                   tcpip_input)) {
        fputs("zombie: the device cannot be used\n", stderr);
        exit(EXIT_FAILURE);
    }
    netif_set_default(&place->netif);
    netif_set_up(&place->netif);
    netif_set_link_up(&place->netif);
    puts("ready");
    fflush(stdout);
}

int main(int argc, char *argv[])
{
    struct place *place = calloc(1, sizeof *place);
    if (!place || argc != 5 || !ip4addr_aton(argv[2], &place->address) ||
        !ip4addr_aton(argv[3], &place->mask) || !ip4addr_aton(argv[4], &place->gateway) ||
        setenv("PRECONFIGURED_TAPIF", argv[1], 1) != 0) {
        fputs("usage: zombie DEVICE ADDRESS MASK GATEWAY\n", stderr);
        free(place);
        return EXIT_FAILURE;
    }
    tcpip_init(raise_host, place);
    for (;;)
        pause();
}
