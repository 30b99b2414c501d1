/* test_wild.c: small specs thrown together, compiled, loaded, and compared with the interpreter of their grammars.
 *
 * WILD_SPECS (30) of them, from WILD_SEED (0) on, and WILD_INPUTS (40) messages for each; CC compiles them. A spec that
 * is refused must be refused with a message. */
#include <dlfcn.h>
#include <time.h>
#include <unistd.h>

#include "compiled.h"
#include "judge.h"
#include "sample.h"
#include "test.h"
#include "wild.h"

static unsigned long setting(const char *name, unsigned long otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoul(text, NULL, 10) : otherwise;
}

static void run_command(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void run_command(const char *format, ...)
{
    char command[2048];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(command, sizeof command, format, args);
    va_end(args);
    assert_true(len > 0 && (size_t)len < sizeof command);
    if (system(command) != 0)
        fail_msg("%s", command);
}

static const char *compiler(void)
{
    const char *cc = getenv("CC");
    return cc && *cc ? cc : "cc";
}

static const char *sanitizers(void)
{
    const char *flags = getenv("SANITIZE");
    return flags ? flags : "";
}

/* A folder with what generated parsers need, compiled to be part of a shared object. */
static int setup(void **state)
{
    static char folder[] = "/tmp/wild.XXXXXX";
    if (!mkdtemp(folder))
        return -1;
    *state = folder;
    run_command(
        "for file in parser driver control region recovery operation table value queue until substream decoding blocks conversation "
        "keeper names; do "
        "%s %s -std=c11 -g -O1 -fPIC -fvisibility=hidden -Iruntime -c runtime/$file.c -o %s/$file.o || exit 1; done",
        compiler(), sanitizers(), folder);
    return 0;
}

static int teardown(void **state)
{
    run_command("rm -rf %s", (const char *)*state);
    return 0;
}

static void write_text(const char *folder, const char *name, const text_t *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text->bytes, 1, text->len, file), text->len);
    assert_int_equal(fclose(file), 0);
}

/* The compiled spec as a shared object. */
static void *load(const char *folder, const compiled_t *compiled, uint64_t seed)
{
    char path[256];
    write_text(folder, "wild.h", &compiled->result.header);
    write_text(folder, "wild.c", &compiled->result.source);
    snprintf(path, sizeof path, "%s/wild%llu.so", folder, (unsigned long long)seed);
    run_command("%s %s -std=c11 -g -O0 -shared -fPIC -Iruntime -o %s %s/wild.c %s/*.o", compiler(), sanitizers(), path,
                folder, folder);
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!object)
        fail_msg("%s", dlerror());
    unlink(path);
    return object;
}

/* ---------------------------------------------------------------- scenes */

static void add_step(scene_t *scene, step_t step)
{
    scene->steps = realloc(scene->steps, (scene->step_count + 1) * sizeof step);
    assert_non_null(scene->steps);
    scene->steps[scene->step_count++] = step;
}

static void add_bytes(scene_t *scene, step_kind_t kind, bool is_server, const unsigned char *bytes, size_t len)
{
    step_t step = {.kind = kind, .is_server = is_server, .bytes = malloc(len + 8), .len = len};
    assert_non_null(step.bytes);
    memcpy(step.bytes, bytes, len);
    add_step(scene, step);
}

static scene_t make_scene(const grammar_t *grammar, sample_t *sample, uint64_t *random)
{
    scene_t scene = {0};
    sample_restart(sample);
    for (unsigned n = 1 + random_below(random, 5); n > 0; n--) {
        bool is_server = random_below(random, 3) == 0;
        size_t len = 0;
        const unsigned char *bytes = sample_next(sample, is_server, &len);
        if (!bytes || len == 0 || len > 5000)
            continue;
        add_bytes(&scene, grammar->datagram ? STEP_DATAGRAM : STEP_BYTES, is_server, bytes, len);
        step_t *step = &scene.steps[scene.step_count - 1];
        for (unsigned changes = random_below(random, 3); changes > 0 && step->len; changes--)
            step->len = sample_spoil(sample, step->bytes, step->len);
    }
    for (unsigned side = 0; side < 2; side++)
        if (random_below(random, 4))
            add_step(&scene,
                     (step_t){.kind = random_below(random, 6) ? STEP_FINISH : STEP_ABSENT, .is_server = side == 1});
    return scene;
}

static void free_scene(scene_t *scene)
{
    for (size_t i = 0; i < scene->step_count; i++)
        free(scene->steps[i].bytes);
    free(scene->steps);
}

/* ---------------------------------------------------------------- comparing */

/* A spec that has been compiled and loaded. */
typedef struct subject {
    const char *spec;
    const compiled_t *compiled;
    const qcap_protocol_t *protocol;
    uint64_t seed;
    bool is_careful; /* each comparison in a process of its own; what differs is shown */
} subject_t;

static void show(judge_t *judge, const subject_t *subject, scene_t *scene, uint64_t number)
{
    judge_shrink(judge, scene, number);
    char *difference = judge_compare(judge, scene, number), *shown = scene_print(scene);
    fprintf(stderr, "spec %llu:\n%s\n%s\n%s\n", (unsigned long long)subject->seed, subject->spec, shown,
            difference ? difference : "");
    free(shown);
    free(difference);
}

/* Returns 0 if all messages are read alike. */
static int compare_all(void *user)
{
    const subject_t *subject = user;
    judge_t *judge = judge_new(subject->protocol, subject->compiled->result.grammar);
    sample_t *sample = sample_new(subject->compiled->result.grammar, subject->seed);
    uint64_t random = subject->seed;
    bool is_right = true;
    if (subject->is_careful)
        judge_set_apart(judge);
    for (unsigned long i = setting("WILD_INPUTS", 40); i > 0 && is_right; i--) {
        scene_t scene = make_scene(subject->compiled->result.grammar, sample, &random);
        char *difference = judge_compare(judge, &scene, i);
        is_right = !difference;
        free(difference);
        if (!is_right && subject->is_careful)
            show(judge, subject, &scene, i);
        free_scene(&scene);
    }
    sample_free(sample);
    judge_free(judge);
    return is_right ? 0 : 1;
}

static bool agree(const char *spec, const compiled_t *compiled, void *object, uint64_t seed)
{
    subject_t subject = {.spec = spec, .compiled = compiled, .seed = seed};
    subject.protocol = dlsym(object, "qcap_wild_protocol");
    assert_non_null(subject.protocol);
    if (judge_works_apart(compare_all, &subject))
        return true;
    subject.is_careful = true;
    compare_all(&subject);
    return false;
}

static void wild_specs_are_read_alike(void **state)
{
    unsigned long count = setting("WILD_SPECS", 30), first = setting("WILD_SEED", 0), made = 0, wrong = 0;
    for (unsigned long i = 0; i < count; i++) {
        char *spec = wild_spec(first + i);
        compiled_t compiled = compiled_new(spec, COMPILE_STEP_NONE);
        if (compiled.is_right) {
            void *object = load(*state, &compiled, first + i);
            wrong += !agree(spec, &compiled, object, first + i);
            dlclose(object);
            made++;
        } else if (!strstr(compiled.messages, ": error: ")) {
            fail_msg("refused without a message:\n%s\n%s", spec, compiled.messages);
        }
        compiled_free(&compiled);
        free(spec);
    }
    printf("%lu of %lu specs could be compiled, %lu of them are read in two ways\n", made, count, wrong);
    assert_int_equal(wrong, 0);
    assert_true(made * 4 >= count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(wild_specs_are_read_alike, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
