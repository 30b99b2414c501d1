/* test_packet.c: the life of a packet, and what can be asked of it. */
#include "handle.h"
#include "test.h"
#include "traffic.h"

static int setup(void **state)
{
    *state = traffic_open();
    return 0;
}

static int teardown(void **state)
{
    traffic_close(*state);
    return 0;
}

/* Packets that a handler kept. */
typedef struct kept {
    qcap_packet_t *packets[4];
    size_t count;
} kept_t;

static void keep(qcap_packet_t *packet, qcap_stage_t stage, void *user)
{
    kept_t *kept = user;
    assert_int_equal(qcap_packet_stage(packet), stage);
    kept->packets[kept->count++] = qcap_packet_ref(packet);
}

static void a_kept_packet_is_a_copy_that_lasts(void **state)
{
    traffic_t *t = *state;
    kept_t kept = {.count = 0};
    char text[QCAP_ENDPOINT_SIZE];
    size_t len;
    qcap_endpoint_t end;
    qcap_packet_handler_add(t->q, QCAP_STAGE_TCP_DELIVERED, keep, &kept);
    traffic_tcp(t, .seq = 1, .text = "hello");
    traffic_tcp(t, .seq = 6, .text = "other");
    qcap_packet_t *packet = kept.packets[0];
    assert_memory_equal(qcap_packet_payload(packet, &len), "hello", 5);
    assert_int_equal(len, 5);
    assert_ptr_equal(qcap_packet_bytes(packet, &len), qcap_packet_network(packet, &len));
    assert_int_equal(len, 45);
    assert_int_equal(qcap_packet_wire_len(packet), 45);
    assert_int_equal(qcap_packet_number(packet), 1);
    assert_int_equal(qcap_packet_number(kept.packets[1]), 2);
    assert_int_equal(qcap_packet_protocol(packet), 6);
    assert_int_equal(qcap_packet_flags(packet), 0);
    assert_int_equal(qcap_packet_constituent_count(packet), 0);
    assert_int_equal(qcap_packet_time_ns(packet) + 2000, t->now_ns);
    qcap_packet_source(packet, &end);
    assert_string_equal(qcap_endpoint_print(&end, text, sizeof text), "10.0.0.1:40000");
    qcap_packet_destination(packet, &end);
    assert_string_equal(qcap_address_print(&end, text, sizeof text), "10.0.0.2");
    qcap_packet_unref(kept.packets[0]);
    qcap_packet_unref(kept.packets[1]);
}

static void all_keep_the_same_copy(void **state)
{
    traffic_t *t = *state;
    kept_t kept = {.count = 0};
    qcap_packet_handler_add(t->q, QCAP_STAGE_CAPTURED, keep, &kept);
    qcap_packet_handler_add(t->q, QCAP_STAGE_LINK_DECODED, keep, &kept);
    qcap_packet_handler_add(t->q, QCAP_STAGE_LINK_DECODED, keep, &kept);
    uint64_t before = t->q->budget.used;
    traffic_tcp(t, .flags = "R", .seq = 1);
    assert_int_equal(kept.count, 3);
    assert_ptr_equal(kept.packets[0], kept.packets[1]);
    assert_ptr_equal(kept.packets[1], kept.packets[2]);
    for (size_t i = 0; i < kept.count; i++)
        qcap_packet_unref(kept.packets[i]);
    assert_int_equal(t->q->budget.used, before);
}

static void an_early_copy_learns_what_is_decoded_later(void **state)
{
    traffic_t *t = *state;
    kept_t kept = {.count = 0};
    qcap_packet_handler_add(t->q, QCAP_STAGE_CAPTURED, keep, &kept);
    traffic_tcp(t, .seq = 1, .text = "hello");
    assert_int_equal(qcap_packet_protocol(kept.packets[0]), 6);
    qcap_packet_unref(kept.packets[0]);
}

static void without_memory_a_packet_cannot_be_kept(void **state)
{
    traffic_t *t = *state;
    kept_t kept = {.count = 0};
    qcap_packet_handler_add(t->q, QCAP_STAGE_CAPTURED, keep, &kept);
    t->q->budget.fail_in = 1;
    traffic_tcp(t, .flags = "R", .seq = 1);
    assert_null(kept.packets[0]);
    qcap_packet_unref(NULL);
}

static void check_undecoded(qcap_packet_t *packet, qcap_stage_t stage, void *user)
{
    qcap_endpoint_t end;
    size_t len;
    (void)stage;
    assert_null(qcap_packet_network(packet, &len));
    assert_null(qcap_packet_payload(packet, &len));
    assert_int_equal(len, 0);
    assert_int_equal(qcap_packet_protocol(packet), 255);
    assert_int_equal(qcap_packet_flags(packet), QCAP_PACKET_SNAPPED | QCAP_PACKET_DISCARDED);
    assert_int_equal(qcap_packet_wire_len(packet), 60);
    qcap_packet_source(packet, &end);
    assert_int_equal(end.version, 0);
    *(int *)user += 1;
}

static void what_is_not_known_is_said_so(void **state)
{
    traffic_t *t = *state;
    int calls = 0;
    qcap_packet_handler_add(t->q, QCAP_STAGE_BAD_HEADER, check_undecoded, &calls);
    traffic_push(t, "\x45", 1, 60);
    assert_int_equal(calls, 1);
}

static void handlers_that_cannot_be_are_refused(void **state)
{
    traffic_t *t = *state;
    assert_int_equal(qcap_packet_handler_add(t->q, QCAP_STAGE_COUNT, keep, NULL), QCAP_E_ARGUMENT);
    assert_int_equal(qcap_packet_handler_add(t->q, QCAP_STAGE_ICMP, NULL, NULL), QCAP_E_ARGUMENT);
    assert_string_not_equal(qcap_geterr(t->q), "");
}

static void endpoints_are_printed_as_people_write_them(void **state)
{
    qcap_endpoint_t ipv6 = {.version = 6, .address = {0x20, 1, 0xd, 0xb8, [15] = 1}, .port = 443}, none = {0};
    char text[QCAP_ENDPOINT_SIZE];
    (void)state;
    assert_string_equal(qcap_endpoint_print(&ipv6, text, sizeof text), "[2001:db8::1]:443");
    assert_string_equal(qcap_address_print(&ipv6, text, sizeof text), "2001:db8::1");
    assert_string_equal(qcap_endpoint_print(&none, text, sizeof text), "-:0");
    assert_string_equal(qcap_endpoint_print(&ipv6, text, 8), "[2001:d");
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_kept_packet_is_a_copy_that_lasts),
        test(all_keep_the_same_copy),
        test(an_early_copy_learns_what_is_decoded_later),
        test(without_memory_a_packet_cannot_be_kept),
        test(what_is_not_known_is_said_so),
        test(handlers_that_cannot_be_are_refused),
        cmocka_unit_test(endpoints_are_printed_as_people_write_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
