/* test_contract.c tests contract.c and object.c: what a parser is said to need is what it needs. */
#include "compiled.h"
#include "test.h"

#include "contract.h"
#include "http.h"
#include "mime.h"
#include "object.h"
#include "output.h"
#include "sampler.h"
#include "tagged.h"
#include "values.h"

#define CHECK_SIZE(type)                                                                                               \
    do {                                                                                                               \
        if (contract_type_size(#type) != sizeof(type))                                                                 \
            fail_msg("%s has %zu bytes: say so in the table in generator/contract.c", #type, sizeof(type));            \
    } while (0)

static void types_are_as_large_as_contract_c_has_them(void **state)
{
    (void)state;
    CHECK_SIZE(qcap_conversation_t);
    CHECK_SIZE(qcap_parser_t);
    CHECK_SIZE(qcap_register_t);
    CHECK_SIZE(qcap_slot_t);
    CHECK_SIZE(qcap_region_t);
    CHECK_SIZE(qcap_frame_t);
    CHECK_SIZE(qcap_later_t);
    CHECK_SIZE(qcap_underway_t);
    CHECK_SIZE(qcap_accumulator_t);
    CHECK_SIZE(qcap_queue_state_t);
    CHECK_SIZE(qcap_queue_entry_t);
    CHECK_SIZE(qcap_state_t);
    CHECK_SIZE(qcap_edge_t);
    CHECK_SIZE(qcap_op_t);
    CHECK_SIZE(qcap_about_t);
    CHECK_SIZE(qcap_suspend_t);
    CHECK_SIZE(qcap_counter_t);
    CHECK_SIZE(qcap_substream_t);
    CHECK_SIZE(qcap_parser_t *);
    CHECK_SIZE(qcap_keep_t);
    CHECK_SIZE(uint64_t);
    assert_int_equal(contract_type_size("char"), 0);
}

static void assert_contract(const char *path, const qcap_protocol_t *protocol)
{
    arena_t *arena = arena_new();
    compile_result_t result;
    compile_options_t options = {.dump = COMPILE_STEP_NONE};

    assert_true(compile(arena, path, &options, &result, diag_new(arena)));
    contract_t contract = contract_of(result.layout, result.table);
    assert_int_equal(contract.size, protocol->size);
    assert_int_equal(contract.queue_size, protocol->extra_size);
    unsigned places = 2 * contract.feeds * contract_type_size("qcap_parser_t *");
    unsigned client = contract.has_client ? contract.side_size : contract.parser_size;
    unsigned server = contract.has_server ? contract.side_size : contract.parser_size;
    assert_int_equal(contract.common_size + client + server + places, contract.size);
    assert_int_equal(contract.calls, protocol->call_max);
    arena_free(arena);
}

static void conversations_are_as_large_as_the_contract_says(void **state)
{
    (void)state;
    assert_contract("specs/http.abnf", &qcap_http_protocol);
    assert_contract("specs/mime.abnf", &qcap_mime_protocol);
    assert_contract("tests/support/sampler.abnf", &qcap_sampler_protocol);
    assert_contract("tests/support/values.abnf", &qcap_values_protocol);
    assert_contract("tests/support/tagged.abnf", &qcap_tagged_protocol);
}

/* There are two of them for each conversation. */
static void a_direction_of_http_is_small(void **state)
{
    (void)state;
    assert_in_range(sizeof(qcap_parser_t) + sizeof(struct qcap_http_side), 1, 512);
}

static void numbers_are_those_of_the_spec(void **state)
{
    (void)state;
    compiled_t c = compiled_new(";@ protocol p \"P\"\n;@ register n : uint\n;@ register k : keyword(a b)\n;@ queue q(3) : keyword\n"
                                ";@ client = *m\nm = a LF ;@ emit\na = 1*DIGIT ;@ emit, n = decimal\n",
                                COMPILE_STEP_NONE);
    text_t text;

    contract_t contract = contract_of(c.result.layout, c.result.table);
    text_init(&text, c.arena);
    contract_print(c.result.layout, &contract, "", &text);
    assert_non_null(strstr(text.bytes, "\nelements 2\nelements.nested 2\nregions.nested 0\ncalls.nested 0\n"));
    assert_non_null(strstr(text.bytes, "\nbytes.direction.registers 8\n"));
    assert_non_null(strstr(text.bytes, "\nbytes.direction.words 2\n"));
    assert_null(strstr(text.bytes, "\nbytes.direction.positions"));
    assert_non_null(strstr(text.bytes, "\nbytes.queues 96\n"));
    compiled_free(&c);
}

/* ---------------------------------------------------------------- object files */

static text_t read_file(arena_t *arena, const char *path)
{
    text_t file;

    assert_true(output_read(arena, path, &file));
    return file;
}

static const char *const this_program = "/proc/self/exe";

static void sections_of_a_program_are_added_up(void **state)
{
    arena_t *arena = arena_new();
    text_t file = read_file(arena, this_program);
    object_sizes_t sizes;

    (void)state;
    assert_null(object_measure(&file, &sizes));
    assert_in_range(sizes.code, 1000, file.len);
    assert_in_range(sizes.constant, 1000, file.len);
    assert_in_range(sizes.variable, 8, UINT32_MAX);
    arena_free(arena);
}

static void what_is_no_object_file_is_not_measured(void **state)
{
    arena_t *arena = arena_new();
    object_sizes_t sizes;
    text_t source = read_file(arena, "generator/object.c"), empty;

    (void)state;
    text_init(&empty, arena);
    assert_non_null(object_measure(&source, &sizes));
    assert_non_null(object_measure(&empty, &sizes));
    arena_free(arena);
}

/* Whatever the header says, nothing outside the file is read. */
static void broken_headers_are_refused_or_measured(void **state)
{
    arena_t *arena = arena_new();
    text_t file = read_file(arena, this_program);
    object_sizes_t sizes;

    (void)state;
    for (size_t len = 0; len < file.len; len += len < 100 ? 1 : file.len / 50) {
        char *bytes = test_malloc(len + 1); /* the sanitizer sees what is read behind it */
        memcpy(bytes, file.bytes, len);
        object_measure(&(text_t){.bytes = bytes, .len = len}, &sizes);
        test_free(bytes);
    }
    for (size_t i = 0; i < 64; i++) {
        char byte = file.bytes[i];
        file.bytes[i] = (char)0xff;
        object_measure(&file, &sizes);
        file.bytes[i] = byte;
    }
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_as_large_as_contract_c_has_them),
        cmocka_unit_test(conversations_are_as_large_as_the_contract_says),
        cmocka_unit_test(a_direction_of_http_is_small),
        cmocka_unit_test(numbers_are_those_of_the_spec),
        cmocka_unit_test(sections_of_a_program_are_added_up),
        cmocka_unit_test(what_is_no_object_file_is_not_measured),
        cmocka_unit_test(broken_headers_are_refused_or_measured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
