/* floor.c: the least that any program does for a trace: maps the file, and looks at each packet's first 64 bytes. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define FILE_HEADER_LEN 24u
#define RECORD_HEADER_LEN 16u

/* Of a pcap file in this machine's byte order. */
static uint64_t look(const unsigned char *at, const unsigned char *end, uint64_t *count)
{
    uint64_t sum = 0;
    while ((size_t)(end - at) > RECORD_HEADER_LEN) {
        uint32_t len;
        memcpy(&len, at + 8, sizeof len);
        at += RECORD_HEADER_LEN;
        if (len > (size_t)(end - at))
            break;
        for (uint32_t i = 0; i + 8 <= len && i < 64; i += 8) {
            uint64_t word;
            memcpy(&word, at + i, sizeof word);
            sum += word;
        }
        at += len;
        ++*count;
    }
    return sum;
}

int main(int argc, char **argv)
{
    struct stat about;
    uint64_t count = 0;
    int file = argc == 2 ? open(argv[1], O_RDONLY) : -1;
    if (file < 0 || fstat(file, &about) < 0 || about.st_size < (off_t)FILE_HEADER_LEN) {
        fprintf(stderr, "usage: floor TRACE\n");
        return 2;
    }
    const unsigned char *bytes = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (bytes == MAP_FAILED) {
        perror(argv[1]);
        return 1;
    }
    uint64_t sum = look(bytes + FILE_HEADER_LEN, bytes + about.st_size, &count);
    printf("%" PRIu64 " packets, sum %" PRIx64 "\n", count, sum);
    return 0;
}
