/*
 * A slower clock for a program that runs slower than it would: preloaded under valgrind.
 *
 * Valgrind makes a program some 30 times slower, but timers keep their pace: a batch that is sent
 * every 20 ms would hold a thirtieth of its rows. With LD_PRELOAD=slowclock.so the monotonic clock
 * runs at 1/SLOW_CLOCK (an environment variable) of its speed, and every wait lasts as much longer.
 * Nothing else changes: the wall clock is the real one.
 *
 * Covers what CPython, libuv, nginx and the C library wait with. A program that calls futex(2)
 * itself, as Rust's standard library does, would see the two clocks disagree: leave it alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>

#define SECOND 1000000000LL
/* Looked up once: a look-up costs 900 instructions, and a clock is read four times in every call. */
#define REAL(name)                                                                                 \
    static __typeof__(&name) real;                                                                 \
    if (!real)                                                                                     \
        real = (__typeof__(&name))find(#name)

static long long factor = 1;

__attribute__((constructor)) static void read_factor(void)
{
    const char *text = getenv("SLOW_CLOCK");
    if (text && atoi(text) > 0)
        factor = atoi(text);
}

static void *find(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* The two forms of a condition variable have one name on x86-64; dlsym may return the old one. */
static void *find_condition(const char *name)
{
    void *found = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
    return found ? found : find(name);
}

static int is_slowed(clockid_t clock)
{
    return clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE ||
           clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_BOOTTIME;
}

static struct timespec scaled(const struct timespec *t, long long times, long long by)
{
    long long ns = (t->tv_sec * SECOND + t->tv_nsec) / by;
    if (ns > LLONG_MAX / times)
        ns = LLONG_MAX / times;
    ns *= times;
    return (struct timespec){.tv_sec = ns / SECOND, .tv_nsec = ns % SECOND};
}

static int longer(int milliseconds)
{
    if (milliseconds <= 0)
        return milliseconds;
    return milliseconds > INT_MAX / factor ? INT_MAX : (int)(milliseconds * factor);
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
    REAL(clock_gettime);
    int result = real(clock, t);
    if (result == 0 && is_slowed(clock))
        *t = scaled(t, 1, factor);
    return result;
}

int epoll_wait(int fd, struct epoll_event *events, int size, int timeout)
{
    REAL(epoll_wait);
    return real(fd, events, size, longer(timeout));
}

int epoll_pwait(int fd, struct epoll_event *events, int size, int timeout, const sigset_t *mask)
{
    REAL(epoll_pwait);
    return real(fd, events, size, longer(timeout), mask);
}

int poll(struct pollfd *fds, nfds_t size, int timeout)
{
    REAL(poll);
    return real(fds, size, longer(timeout));
}

int select(int size, fd_set *in, fd_set *out, fd_set *except, struct timeval *timeout)
{
    REAL(select);
    if (!timeout)
        return real(size, in, out, except, NULL);
    struct timespec wait = {.tv_sec = timeout->tv_sec, .tv_nsec = timeout->tv_usec * 1000};
    wait = scaled(&wait, factor, 1);
    struct timeval wider = {.tv_sec = wait.tv_sec, .tv_usec = wait.tv_nsec / 1000};
    return real(size, in, out, except, &wider);
}

int nanosleep(const struct timespec *wait, struct timespec *left)
{
    REAL(nanosleep);
    struct timespec wider = scaled(wait, factor, 1);
    return real(&wider, left);
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *wait, struct timespec *left)
{
    REAL(clock_nanosleep);
    /* An absolute time of the slowed clock is an earlier reading of the real one. */
    if (is_slowed(clock) || !(flags & TIMER_ABSTIME)) {
        struct timespec wider = scaled(wait, factor, 1);
        return real(clock, flags, &wider, left);
    }
    return real(clock, flags, wait, left);
}

int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *until)
{
    REAL(sem_clockwait);
    struct timespec wider = is_slowed(clock) ? scaled(until, factor, 1) : *until;
    return real(semaphore, clock, &wider);
}

int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
                           const struct timespec *until)
{
    REAL(pthread_cond_clockwait);
    struct timespec wider = is_slowed(clock) ? scaled(until, factor, 1) : *until;
    return real(condition, mutex, clock, &wider);
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                           const struct timespec *until)
{
    static __typeof__(&pthread_cond_timedwait) real;
    if (!real)
        real = (__typeof__(&pthread_cond_timedwait))find_condition("pthread_cond_timedwait");
    /* The condition knows its clock and does not tell. A wall clock is past the year 2001, the
     * monotonic one counts from the machine's start. CPython waits for its lock this way. */
    struct timespec wider = until->tv_sec < SECOND ? scaled(until, factor, 1) : *until;
    return real(condition, mutex, &wider);
}
