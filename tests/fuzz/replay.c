/* replay.c: runs a fuzz target over files, as an ordinary test.
 *
 * In: names of files, and of folders whose files are meant; without any, tests/fuzz/corpus/NAME of the program fuzz_NAME, if
 * it is there, and tests/captures. Out: each file went through the target once, in an allocation that ends where the file
 * does, so that the sanitizers see a read behind it. The target is LLVMFuzzerTestOneInput(), as libFuzzer wants it;
 * libFuzzer has a main() of its own, so this file stays out there. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Returns how many files went through, or -1 after a message. */
static int replay_file(const char *path, size_t len)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(len ? len : 1);
    int count = -1;
    if (file && bytes && fread(bytes, 1, len, file) == len) {
        LLVMFuzzerTestOneInput(bytes, len);
        count = 1;
    } else {
        fprintf(stderr, "%s: cannot be read\n", path);
    }
    free(bytes);
    if (file)
        fclose(file);
    return count;
}

static int replay(const char *path);

static int replay_folder(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder) {
        perror(path);
        return -1;
    }
    int total = 0;
    for (struct dirent *entry; total >= 0 && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        char name[4096];
        if ((size_t)snprintf(name, sizeof name, "%s/%s", path, entry->d_name) >= sizeof name)
            continue;
        int count = replay(name);
        total = count < 0 ? -1 : total + count;
    }
    closedir(folder);
    return total;
}

static int replay(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        perror(path);
        return -1;
    }
    return S_ISDIR(info.st_mode) ? replay_folder(path) : replay_file(path, (size_t)info.st_size);
}

/* Returns how many files of a folder went through; 0 if there is no such folder. */
static int replay_optional(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? replay_folder(path) : 0;
}

/* The inputs kept for this target, and real captures. */
static int replay_defaults(const char *program)
{
    const char *name = strrchr(program, '/');
    name = name ? name + 1 : program;
    if (strncmp(name, "fuzz_", 5) == 0)
        name += 5;
    char corpus[4096];
    snprintf(corpus, sizeof corpus, "tests/fuzz/corpus/%s", name);
    int kept = replay_optional(corpus);
    int captures = replay_optional("tests/captures");
    return kept < 0 || captures < 0 ? -1 : kept + captures;
}

int main(int argc, char **argv)
{
    int total = argc > 1 ? 0 : replay_defaults(argv[0]);
    for (int i = 1; i < argc && total >= 0; i++) {
        int count = replay(argv[i]);
        total = count < 0 ? -1 : total + count;
    }
    if (total < 0)
        return 1;
    printf("%d inputs\n", total);
    return 0;
}
