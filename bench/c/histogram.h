// Durations in microseconds, counted in 64 steps a power of two: percentiles to 1.6 % without keeping any of them.
#pragma once
#include <stdint.h>

#define HISTOGRAM_STEPS 4096

typedef struct {
    uint64_t counts[HISTOGRAM_STEPS], total, highest;
} histogram;

static int histogram_step(uint64_t us) {
    if (us < 64) return (int)us;
    int power = 63 - __builtin_clzll(us);
    int step = (power - 5) * 64 + (int)((us >> (power - 6)) & 63);
    return step < HISTOGRAM_STEPS ? step : HISTOGRAM_STEPS - 1;
}

static uint64_t histogram_floor(int step) {
    return step < 64 ? (uint64_t)step : (uint64_t)(64 + (step & 63)) << (step / 64 - 1);
}

static void histogram_add(histogram *h, int64_t us) {
    uint64_t value = us > 0 ? (uint64_t)us : 0;  // two clocks of one machine may differ by a microsecond
    h->counts[histogram_step(value)]++;
    h->total++;
    if (value > h->highest) h->highest = value;
}

// Milliseconds below which the given share of all values lies, 0 when there are none.
static double histogram_ms(const histogram *h, double share) {
    if (share >= 1) return h->highest / 1e3;
    uint64_t passed = 0;
    for (int step = 0; step < HISTOGRAM_STEPS; step++) {
        passed += h->counts[step];
        if (passed && passed >= share * h->total) return histogram_floor(step) / 1e3;
    }
    return 0;
}
