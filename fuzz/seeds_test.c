/* seeds_test DIRECTORY: the seeds called good_* were built by make_corpus.py, which shares no code with the
 * decoder. Each must be taken with all its checksums verified. Exit 0, or 1 with a line for each that is
 * not. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "packet/packet.h"

#define SEED_MAX 2048

static enum packet_fault read_verifying(const uint8_t *data, size_t len)
{
    struct packet packet;
    return packet_read_ip(data, len, (struct packet_reading){.checksums = true}, &packet);
}

/* False with a message when this seed is not decoded as it should. */
static bool check_seed(const char *directory, const char *name)
{
    char path[4096];
    uint8_t data[SEED_MAX];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "rb");
    size_t len = file ? fread(data, 1, sizeof data, file) : 0;
    if (file)
        fclose(file);
    enum packet_fault fault = read_verifying(data, len);
    if (fault != PACKET_OK)
        printf("%s: %s\n", name, packet_fault_name(fault));
    return fault == PACKET_OK;
}

int main(int argc, char **argv)
{
    DIR *directory = argc == 2 ? opendir(argv[1]) : NULL;
    if (!directory)
        return 1;
    unsigned count = 0, right = 0;
    const struct dirent *entry;
    while ((entry = readdir(directory))) {
        if (strncmp(entry->d_name, "good_", 5) != 0)
            continue;
        count++;
        right += check_seed(argv[1], entry->d_name);
    }
    closedir(directory);
    printf("%u of %u seeds decoded\n", right, count);
    return count > 0 && right == count ? 0 : 1;
}
