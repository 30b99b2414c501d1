/* shrink.c: scenes on which two readers disagree, as small as they can be made. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judging.h"

#define TRIES_MAX 1500u

bool scene_has_bytes(const step_t *step)
{
    return step->kind == STEP_BYTES || step->kind == STEP_DATAGRAM;
}

static void print_bytes(FILE *out, const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\\')
            fputs("\\\\", out);
        else if (bytes[i] == '\r')
            fputs("\\r", out);
        else if (bytes[i] == '\n')
            fputs("\\n", out);
        else if (bytes[i] == '\t')
            fputs("\\t", out);
        else if (bytes[i] < 0x20 || bytes[i] > 0x7e || (bytes[i] == ' ' && i + 1 == len))
            fprintf(out, "\\x%02x", bytes[i]);
        else
            fputc(bytes[i], out);
    }
}

char *scene_print(const scene_t *scene)
{
    static const char *const words[] = {"", "", "gap", "finish", "absent", "hurry", "search", "limit"};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    for (size_t i = 0; i < scene->step_count; i++) {
        const step_t *step = &scene->steps[i];
        if (scene_has_bytes(step)) {
            const char *sign = step->is_server ? "<" : ">";
            fprintf(out, "%s%s ", sign, step->kind == STEP_DATAGRAM ? sign : "");
            print_bytes(out, step->bytes, step->len);
        } else if (step->kind == STEP_LIMIT) {
            fprintf(out, "limit %" PRIu64, step->number);
        } else {
            fprintf(out, "%s %s", step->is_server ? "server" : "client", words[step->kind]);
            if (step->kind == STEP_GAP)
                fprintf(out, " %" PRIu64, step->number);
        }
        fputc('\n', out);
    }
    fclose(out);
    return text;
}

static bool still_differs(judge_t *judge, const scene_t *scene, uint64_t seed)
{
    if (judge->tries++ >= TRIES_MAX)
        return false;
    char *difference = judge_compare(judge, scene, seed);
    free(difference);
    return difference != NULL;
}

static void shrink_bytes(judge_t *judge, scene_t *scene, step_t *step, uint64_t seed)
{
    for (size_t some = step->len; some > 0; some /= 2)
        for (size_t at = 0; at + some <= step->len;) {
            unsigned char *before = judge_memory(step->len);
            memcpy(before, step->bytes, step->len);
            memmove(step->bytes + at, step->bytes + at + some, step->len - at - some);
            step->len -= some;
            if (!still_differs(judge, scene, seed)) {
                step->len += some;
                memcpy(step->bytes, before, step->len);
                at += some;
            }
            free(before);
        }
}

void judge_shrink(judge_t *judge, scene_t *scene, uint64_t seed)
{
    judge->tries = 0;
    for (size_t i = scene->step_count; i-- > 0;) {
        step_t step = scene->steps[i];
        size_t behind = scene->step_count - i - 1;
        memmove(scene->steps + i, scene->steps + i + 1, behind * sizeof step);
        scene->step_count--;
        if (still_differs(judge, scene, seed)) {
            free(step.bytes);
            continue;
        }
        memmove(scene->steps + i + 1, scene->steps + i, behind * sizeof step);
        scene->steps[i] = step;
        scene->step_count++;
    }
    for (size_t i = 0; i < scene->step_count; i++)
        if (scene_has_bytes(&scene->steps[i]))
            shrink_bytes(judge, scene, &scene->steps[i], seed);
}
