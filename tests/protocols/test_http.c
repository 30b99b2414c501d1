/* test_http.c: what applications count on in the HTTP parser: the names of its elements. What the elements hold is for
 * the golden pages. */
#include "http.h"
#include "test.h"

#define PATH_MAX_LEN 256

static void path_of(unsigned element, char path[PATH_MAX_LEN])
{
    size_t len = qcap_element_path(&qcap_http_protocol, (uint16_t)element, path, PATH_MAX_LEN);
    assert_true(len < PATH_MAX_LEN);
}

/* The element of that path, or -1. */
static int find(const char *wanted)
{
    char path[PATH_MAX_LEN];
    for (unsigned i = 0; i < qcap_http_protocol.element_count; i++) {
        path_of(i, path);
        if (strcmp(path, wanted) == 0)
            return (int)i;
    }
    return -1;
}

static void elements_have_the_names_that_applications_use(void **state)
{
    static const char *const paths[] = {
        "http.request",
        "http.request.method",
        "http.request.request-target",
        "http.request.request-target.scheme",
        "http.request.request-target.authority.userinfo",
        "http.request.request-target.authority.host",
        "http.request.request-target.authority.port",
        "http.request.request-target.host",
        "http.request.request-target.path",
        "http.request.request-target.query",
        "http.request.HTTP-version",
        "http.request.field-line.field-value.Host",
        "http.request.field-line.field-value.Content-Length",
        "http.request.field-line.field-value.Connection.connection-option",
        "http.request.field-line.field-value.Transfer-Encoding.transfer-coding",
        "http.request.field-line.field-value.Authorization.auth-scheme",
        "http.request.field-line.field-value.Authorization.basic-credentials",
        "http.request.field-line.field-value.Authorization.digest-username",
        "http.request.field-line.field-value.Proxy-Authorization.basic-credentials",
        "http.request.content",
        "http.response.status-code",
        "http.response.reason-phrase",
        "http.response.chunk-size",
        "http.response.chunk-ext.chunk-ext-name",
        "http.response.content",
        "http.response.trailer-section.field-line.field-name",
    };
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (find(paths[i]) < 0)
            fail_msg("there is no %s", paths[i]);
}

static void content_comes_as_a_stream_and_nothing_else_does(void **state)
{
    (void)state;
    for (unsigned i = 0; i < qcap_http_protocol.element_count; i++) {
        const qcap_element_t *element = &qcap_http_protocol.elements[i];
        assert_int_equal(element->is_stream, strcmp(element->name, "content") == 0);
    }
}

/* Whatever the name is: http.field-value[Cookie]. */
static void values_of_headers_and_trailers_are_selected_by_the_name_beside_them(void **state)
{
    static const char *const lines[] = {"http.request.field-line", "http.request.trailer-section.field-line",
                                        "http.response.field-line", "http.response.trailer-section.field-line"};
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char name[PATH_MAX_LEN], value[PATH_MAX_LEN];
        snprintf(name, sizeof name, "%s.field-name", lines[i]);
        snprintf(value, sizeof value, "%s.field-value", lines[i]);
        assert_true(find(name) >= 0 && find(value) >= 0);
        assert_int_equal(qcap_http_protocol.elements[find(value)].selector, find(name));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_have_the_names_that_applications_use),
        cmocka_unit_test(content_comes_as_a_stream_and_nothing_else_does),
        cmocka_unit_test(values_of_headers_and_trailers_are_selected_by_the_name_beside_them),
    };
    return cmocka_run_group_tests_name("HTTP", tests, NULL, NULL);
}
