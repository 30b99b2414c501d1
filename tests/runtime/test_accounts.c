/* test_accounts.c: every packet of a capture ends in exactly one stage, whatever is wrong with the capture, and whether it goes
 * the short way (usual.c) or the general one.
 *
 * In: the captures of tests/captures, and those below the folder CORPUS if that is set. Each is read as it is, under every
 * policy, with checksums verified, and with hardly any memory; then cut off at and beside the boundaries of its packets, inside
 * their headers and at random places; then with random bytes changed. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qcap.h"
#include "test.h"

/* One file, and a copy of it that may be spoilt. */
typedef struct capture {
    char path[32]; /* of the copy */
    int file;      /* likewise */
    unsigned char *bytes;
    size_t len;
    uint32_t random; /* the same numbers on every machine */
} capture_t;

static uint32_t next_random(capture_t *capture)
{
    capture->random = capture->random * 1664525u + 1013904223u;
    return capture->random >> 8;
}

static void open_copy(capture_t *capture, const char *path)
{
    FILE *original = fopen(path, "rb");
    struct stat facts;
    *capture = (capture_t){.path = "/tmp/qcap-test-XXXXXX", .random = 1};
    assert_non_null(original);
    assert_int_equal(fstat(fileno(original), &facts), 0);
    capture->len = (size_t)facts.st_size;
    capture->bytes = malloc(capture->len + 1);
    assert_int_equal(fread(capture->bytes, 1, capture->len, original), capture->len);
    fclose(original);
    capture->file = mkstemp(capture->path);
    assert_int_equal(write(capture->file, capture->bytes, capture->len), capture->len);
}

static void close_copy(capture_t *capture)
{
    close(capture->file);
    unlink(capture->path);
    free(capture->bytes);
}

/* How a capture is read. */
typedef struct reading {
    const char *policy;
    qcap_checksums_t checksums;
    uint64_t memory;
} reading_t;

static void check_sums(qcap_t *q)
{
    qcap_stats_t stats;
    uint64_t sum = 0;
    qcap_stats(q, &stats);
    for (int stage = 0; stage < QCAP_STAGE_COUNT; stage++) {
        sum += stats.ended[stage];
        if (!qcap_stage_is_end((qcap_stage_t)stage))
            assert_int_equal(stats.ended[stage], 0);
    }
    assert_int_equal(sum, stats.packets);
}

/* What came of a capture, to be compared: a digest of all that was told, in its order. */
typedef struct outcome {
    qcap_stats_t stats;
    uint64_t digest;
    int status;
} outcome_t;

/* Who looks at the bytes: nobody, parsers, or a tap as well. */
typedef enum { UNREAD, PARSED, TAPPED, LOOKS } looks_t;

static void digest_bytes(outcome_t *outcome, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < len; i++)
        outcome->digest = (outcome->digest ^ at[i]) * UINT64_C(0x100000001b3);
}

static void digest(outcome_t *outcome, uint64_t value)
{
    digest_bytes(outcome, &value, sizeof value);
}

static void digest_str(outcome_t *outcome, const qcap_tcpstr_t *str)
{
    digest(outcome, qcap_tcpstr_number(str) * 2 + qcap_tcpstr_is_server(str));
}

static void on_open(qcap_tcpstr_t *client, void *user)
{
    digest_str(user, client);
}

static void on_data(qcap_tcpstr_t *str, uint64_t offset, const unsigned char *bytes, size_t len, qcap_packet_t *packet,
                    void *user)
{
    size_t network_len, payload_len;
    digest_str(user, str);
    digest(user, offset);
    digest_bytes(user, bytes, len);
    digest(user, qcap_packet_number(packet));
    digest(user, (uint64_t)qcap_packet_time_ns(packet));
    digest(user, (uint64_t)qcap_packet_stage(packet) << 32 | qcap_packet_flags(packet));
    const unsigned char *network = qcap_packet_network(packet, &network_len);
    digest_bytes(user, network, network_len);
    qcap_packet_payload(packet, &payload_len);
    digest(user, payload_len);
}

static void on_gap(qcap_tcpstr_t *str, uint64_t offset, uint64_t len, void *user)
{
    digest_str(user, str);
    digest(user, offset);
    digest(user, len);
}

static void on_end(qcap_tcpstr_t *str, qcap_end_t end, void *user)
{
    digest_str(user, str);
    digest(user, end);
}

static void visit(qcap_tcpstr_t *client, void *user)
{
    digest_str(user, client);
    digest(user, (uint64_t)qcap_tcp_state(client) << 8 | (uint64_t)qcap_tcp_state(qcap_tcpstr_other(client)));
}

static void on_close(qcap_tcpstr_t *client, void *user)
{
    visit(client, user);
}

static void ignore(qcap_packet_t *packet, qcap_stage_t stage, void *user)
{
    (void)packet, (void)stage, (void)user;
}

static void on_stage(qcap_packet_t *packet, qcap_stage_t stage, void *user)
{
    digest(user, qcap_packet_number(packet) << 8 | stage);
}

/* A handler for captured packets wants to see them all: then none goes the short way. One for a stage that no packet comes to takes
 * as much memory. What others are told of leaves the short way to the rest. */
static void listen_to(qcap_t *q, bool is_short, looks_t looks, outcome_t *outcome)
{
    static const qcap_stage_t told[] = {QCAP_STAGE_UDP_DELIVERED, QCAP_STAGE_TCP_OPENED, QCAP_STAGE_TCP_RETRANSMITTED,
                                        QCAP_STAGE_TCP_CLOSED, QCAP_STAGE_OTHER, QCAP_STAGE_BAD_HEADER};
    const qcap_tap_t tap = {on_open, on_data, on_gap, on_end, on_close};
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        qcap_packet_handler_add(q, told[i], on_stage, outcome);
    qcap_packet_handler_add(q, is_short ? QCAP_STAGE_NO_MEMORY : QCAP_STAGE_CAPTURED, ignore, NULL);
    if (looks == TAPPED)
        qcap_tap_add(q, &tap, outcome);
    if (looks != UNREAD)
        qcap_protocols_builtin(q);
}

/* Halfway and after the end. What cannot be opened, or not be read to its end, has said so. */
static outcome_t read_once(const char *path, const reading_t *reading, bool is_short, looks_t looks)
{
    char errbuf[QCAP_ERRBUF_SIZE] = "";
    outcome_t outcome = {.digest = UINT64_C(0xcbf29ce484222325)};
    qcap_t *q = qcap_open_trace(path, errbuf);
    if (!q) {
        assert_string_not_equal(errbuf, "");
        return outcome;
    }
    listen_to(q, is_short, looks, &outcome);
    qcap_set_policy(q, NULL, reading->policy);
    qcap_options_t options;
    qcap_options(q, &options);
    options.checksums = reading->checksums;
    options.memory = reading->memory;
    qcap_set_options(q, &options);
    outcome.status = qcap_loop(q, 20);
    check_sums(q);
    qcap_tcpstr_each(q, visit, &outcome);
    if (outcome.status == 0)
        outcome.status = qcap_loop(q, 0);
    check_sums(q);
    if (outcome.status != 0)
        assert_string_not_equal(qcap_geterr(q), "");
    qcap_stats(q, &outcome.stats);
    assert_int_equal(outcome.stats.conversations_open, 0);
    assert_int_equal(outcome.stats.ended[QCAP_STAGE_FRAGMENT_QUEUED], 0);
    qcap_close(q);
    return outcome;
}

/* The short way and the general one. */
static uint64_t read_capture(const char *path, const reading_t *reading)
{
    uint64_t packets = 0;
    for (looks_t looks = UNREAD; looks < LOOKS; looks++) {
        outcome_t outcome = read_once(path, reading, true, looks), general = read_once(path, reading, false, looks);
        assert_memory_equal(&outcome.stats, &general.stats, sizeof outcome.stats);
        assert_true(outcome.digest == general.digest);
        assert_int_equal(outcome.status, general.status);
        packets = outcome.stats.packets;
    }
    return packets;
}

static const reading_t plain = {"linux", QCAP_CHECKSUMS_AUTO, (uint64_t)512 << 20};

static void read_under_all_settings(capture_t *capture)
{
    static const char *const policies[] = {"first",     "last",    "bsd",         "bsd-right", "linux", "linux-old",
                                           "windows", "windows-old", "macos", "solaris",   "hp-ux"};
    reading_t reading = plain;
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        reading.policy = policies[i];
        read_capture(capture->path, &reading);
    }
    reading.checksums = QCAP_CHECKSUMS_VERIFY;
    read_capture(capture->path, &reading);
    reading.memory = (uint64_t)1 << 20;
    read_capture(capture->path, &reading);
}

#ifdef __SANITIZE_ADDRESS__ /* all takes ten times as long */
#define CUTS 24
#define CHANGES 24
#else
#define CUTS 60
#define CHANGES 60
#endif

static void cut_to(capture_t *capture, size_t len)
{
    assert_int_equal(ftruncate(capture->file, (off_t)len), 0);
    read_capture(capture->path, &plain);
}

static size_t max(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* The last packets of a pcap file, each cut in every part: in its record's header, the link's, IP's, TCP's, its payload. From
 * the longest file to the shortest, so that it is written once. */
static void read_cut(capture_t *capture)
{
    size_t step = max(1, capture->len / CUTS);
    for (size_t len = capture->len; len > capture->len - step; len -= max(1, step / CUTS))
        cut_to(capture, len);
    for (size_t len = capture->len - step; len >= step; len -= step)
        cut_to(capture, len - next_random(capture) % step);
    for (size_t len = step < 600 ? step : 600; len > 0; len -= max(1, len / 100))
        cut_to(capture, len - 1);
    assert_int_equal(pwrite(capture->file, capture->bytes, capture->len, 0), capture->len);
}

/* The boundaries of the packets of a pcap file in this machine's byte order; none of others. */
static void read_cut_at_boundaries(capture_t *capture)
{
    uint32_t magic = 0, captured, boundary_count = 0;
    size_t boundaries[CUTS], at = 24;
    memcpy(&magic, capture->bytes, capture->len < 4 ? capture->len : 4);
    if (magic != 0xa1b2c3d4 && magic != 0xa1b23c4d)
        return;
    for (; at + 16 <= capture->len && boundary_count < CUTS; at += 16 + captured) {
        boundaries[boundary_count++] = at;
        memcpy(&captured, capture->bytes + at + 8, 4);
        if (captured > capture->len - at - 16)
            break;
    }
    while (boundary_count-- > 0) {
        static const int beside[] = {1 + 16 + 14 + 20 + 20, 1 + 16 + 14 + 20, 16 + 14 + 3, 16, 15, 1, 0, -1};
        for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
            if ((size_t)((int64_t)boundaries[boundary_count] + beside[i]) <= capture->len)
                cut_to(capture, (size_t)((int64_t)boundaries[boundary_count] + beside[i]));
    }
    assert_int_equal(pwrite(capture->file, capture->bytes, capture->len, 0), capture->len);
}

/* Some bytes anywhere, mostly behind the file's header: that one alone is soon refused. */
static void read_changed(capture_t *capture)
{
    for (int change = 0; change < CHANGES; change++) {
        reading_t reading = plain;
        size_t from = change % 8 ? 24 : 0, count = 1 + next_random(capture) % 20;
        for (size_t i = 0; i < count && from < capture->len; i++) {
            unsigned char byte = (unsigned char)next_random(capture);
            assert_int_equal(pwrite(capture->file, &byte, 1, (off_t)(from + next_random(capture) % (capture->len - from))), 1);
        }
        reading.checksums = change % 2 ? QCAP_CHECKSUMS_IGNORE : QCAP_CHECKSUMS_AUTO;
        read_capture(capture->path, &reading);
        if (change % 4 == 3) /* damage adds up in between */
            assert_int_equal(pwrite(capture->file, capture->bytes, capture->len, 0), capture->len);
    }
}

/* ---------------------------------------------------------------- which files */

#define FILES_MAX 500

static char *files[FILES_MAX];
static size_t file_count;

static bool is_capture(const char *name)
{
    const char *end = strrchr(name, '.');
    return end && (strcmp(end, ".pcap") == 0 || strcmp(end, ".pcapng") == 0);
}

/* All captures in the folder and in the folders in it. */
static void find_files(const char *folder, int depth)
{
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        size_t size = strlen(folder) + strlen(entry->d_name) + 2;
        char *path = malloc(size);
        struct stat facts;
        snprintf(path, size, "%s/%s", folder, entry->d_name);
        if (is_capture(entry->d_name) && file_count < FILES_MAX) {
            files[file_count++] = path;
            continue;
        }
        if (depth > 0 && entry->d_name[0] != '.' && stat(path, &facts) == 0 && S_ISDIR(facts.st_mode))
            find_files(path, depth - 1);
        free(path);
    }
    closedir(dir);
}

static void for_each(void (*read)(capture_t *capture))
{
    for (size_t i = 0; i < file_count; i++) {
        capture_t capture;
        open_copy(&capture, files[i]);
        print_message("%s\n", files[i]);
        read(&capture);
        close_copy(&capture);
    }
}

static void every_packet_ends_in_one_stage(void **state)
{
    uint64_t packets = 0;
    (void)state;
    for (size_t i = 0; i < file_count; i++)
        packets += read_capture(files[i], &plain);
    assert_true(packets > 1000);
    for_each(read_under_all_settings);
}

static void also_of_captures_that_are_cut_off(void **state)
{
    (void)state;
    for_each(read_cut);
    for_each(read_cut_at_boundaries);
}

static void also_of_captures_with_changed_bytes(void **state)
{
    (void)state;
    for_each(read_changed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_packet_ends_in_one_stage),
        cmocka_unit_test(also_of_captures_that_are_cut_off),
        cmocka_unit_test(also_of_captures_with_changed_bytes),
    };
    find_files("tests/captures", 0);
    if (getenv("CORPUS"))
        find_files(getenv("CORPUS"), 1);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    while (file_count > 0)
        free(files[--file_count]);
    return failed;
}
