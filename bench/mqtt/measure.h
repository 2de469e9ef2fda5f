/* Time, latencies, and what a process costs according to /proc. */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Nanoseconds of a clock that never jumps. */
static inline int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Counts by size: 64 steps for each doubling, so a percentile is right within 1.6 %. */
struct histogram {
    uint64_t count, bins[64 * 40];
};

static inline void add(struct histogram *all, int64_t ns) {
    uint64_t value = ns < 64 ? 64 : (uint64_t)ns;
    int exponent = 63 - __builtin_clzll(value);
    if (exponent > 44) exponent = 44;
    all->bins[(exponent - 6) * 64 + (int)((value >> (exponent - 6)) & 63)]++;
    all->count++;
}

/* Microseconds. */
static inline double percentile(const struct histogram *all, double share) {
    uint64_t seen = 0, wanted = (uint64_t)(share * (double)all->count);
    for (int i = 0; i < 64 * 39; i++) {
        seen += all->bins[i];
        if (seen > wanted) return (double)((64ull + (unsigned)i % 64) << (i / 64)) / 1000.0;
    }
    return 0;
}

/* User and system time of all its threads, in seconds; 0 for no process. */
static inline double cpu_seconds(int pid) {
    char path[64], line[1024];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    size_t length = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[length] = 0;
    char *rest = strrchr(line, ')');
    if (rest) sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* Memory that is its own, in kB; 0 for no process. */
static inline long private_kb(int pid) {
    char path[64], line[256];
    long kb = 0;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "RssAnon: %ld", &kb) == 1) break;
    fclose(file);
    return kb;
}

#endif
