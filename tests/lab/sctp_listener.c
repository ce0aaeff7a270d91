/* sctp_listener PORT...
 *
 * Listens at SCTP ports, over IPv4 and IPv6, in the network namespace it runs in: usrsctp, the SCTP stack of
 * the BSDs in user space, on raw sockets, for kernels without one. Prints "ready" when all are open. */
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>
#include <usrsctp.h>

#define BACKLOG 8

static void __attribute__((format(printf, 1, 2), noreturn)) die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("sctp_listener: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(EX_OSERR);
}

/* usrsctp's IPv6 sockets take IPv4 as well. */
static void listen_at(uint16_t port)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct socket *sock = usrsctp_socket(AF_INET6, SOCK_STREAM, IPPROTO_SCTP, NULL, NULL, 0, NULL);
    if (!sock)
        die("cannot make a socket: %s", strerror(errno));
    if (usrsctp_bind(sock, (struct sockaddr *)&any, sizeof any) < 0 || usrsctp_listen(sock, BACKLOG) < 0)
        die("cannot listen at port %u: %s", port, strerror(errno));
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs("usage: sctp_listener PORT...\n", stderr);
        return EX_USAGE;
    }
    usrsctp_init(0, NULL, NULL);
    usrsctp_sysctl_set_sctp_blackhole(0); /* closed ports abort */
    for (int i = 1; i < argc; i++)
        listen_at((uint16_t)strtoul(argv[i], NULL, 10));
    puts("ready");
    fflush(stdout);
    for (;;)
        pause();
}
