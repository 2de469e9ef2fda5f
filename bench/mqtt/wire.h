/* MQTT 3.1.1 and 5 packets of the load generator: just what it sends, and the shape of what it reads. */
#ifndef WIRE_H
#define WIRE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT = 1, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK, DISCONNECT = 14 };
enum { MQTT_311 = 4, MQTT_5 = 5 };

/* Bytes to be sent: those from start to end are still to go. */
struct bytes {
    uint8_t *at;
    size_t start, end, size;
};

static inline uint8_t *reserve(struct bytes *out, size_t count) {
    if (out->size - out->end < count) {
        memmove(out->at, out->at + out->start, out->end - out->start);
        out->end -= out->start;
        out->start = 0;
        if (out->size - out->end < count) {
            out->size = 2 * (out->size + count);
            out->at = realloc(out->at, out->size);
            if (!out->at) abort();
        }
    }
    out->end += count;
    return out->at + out->end - count;
}

static inline void put8(struct bytes *out, unsigned value) { *reserve(out, 1) = (uint8_t)value; }

static inline void put16(struct bytes *out, unsigned value) {
    uint8_t *at = reserve(out, 2);
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void put_text(struct bytes *out, const char *text, size_t length) {
    put16(out, (unsigned)length);
    memcpy(reserve(out, length), text, length);
}

static inline void put_header(struct bytes *out, unsigned first, size_t length) {
    put8(out, first);
    for (; length >= 0x80; length >>= 7) put8(out, (unsigned)(length & 0x7f) | 0x80);
    put8(out, (unsigned)length);
}

/* kept: the session outlives the connection. */
static inline void put_connect(struct bytes *out, int version, const char *id, int kept) {
    size_t id_length = strlen(id);
    int properties = version == MQTT_5 ? (kept ? 6 : 1) : 0;
    put_header(out, CONNECT << 4, 10 + (size_t)properties + 2 + id_length);
    put_text(out, "MQTT", 4);
    put8(out, (unsigned)version);
    put8(out, kept ? 0 : 2);
    put16(out, 0);
    if (properties) put8(out, (unsigned)properties - 1);
    if (properties > 1) {
        put8(out, 0x11); /* session expiry: an hour */
        put16(out, 0);
        put16(out, 3600);
    }
    put_text(out, id, id_length);
}

static inline void put_subscribe(struct bytes *out, int version, const char *filter, int qos) {
    size_t length = strlen(filter);
    put_header(out, SUBSCRIBE << 4 | 2, 2 + (version == MQTT_5) + 2 + length + 1);
    put16(out, 1);
    if (version == MQTT_5) put8(out, 0);
    put_text(out, filter, length);
    put8(out, (unsigned)qos);
}

static inline void put_ack(struct bytes *out, int type, unsigned id) {
    put8(out, (unsigned)type << 4 | (type == PUBREL ? 2 : 0));
    put8(out, 2);
    put16(out, id);
}

/* Returns where the payload goes. */
static inline uint8_t *put_publish(struct bytes *out, int version, int qos, const char *topic, size_t topic_length, unsigned id, size_t payload) {
    put_header(out, PUBLISH << 4 | (unsigned)qos << 1, 2 + topic_length + (qos ? 2 : 0) + (version == MQTT_5) + payload);
    put_text(out, topic, topic_length);
    if (qos) put16(out, id);
    if (version == MQTT_5) put8(out, 0);
    return reserve(out, payload);
}

/* A packet within received bytes. */
struct packet {
    int type, flags;
    const uint8_t *body;
    size_t body_length, total;
};

/* 1: there is a whole one; 0: not yet. */
static inline int next_packet(const uint8_t *at, size_t length, struct packet *packet) {
    size_t body = 0, i = 1;
    for (int shift = 0;; shift += 7, i++) {
        if (i >= length) return 0;
        if (shift > 21) {
            fprintf(stderr, "load: the broker sent a length of more than four bytes\n");
            exit(1);
        }
        body |= (size_t)(at[i] & 0x7f) << shift;
        if (!(at[i] & 0x80)) break;
    }
    *packet = (struct packet){.type = at[0] >> 4, .flags = at[0] & 15, .body = at + i + 1, .body_length = body, .total = i + 1 + body};
    return length >= packet->total;
}

static inline unsigned get16(const uint8_t *at) { return (unsigned)at[0] << 8 | at[1]; }

/* The payload of a PUBLISH; its packet id, if it has one, through id. */
static inline const uint8_t *payload_of(const struct packet *publish, int version, unsigned *id) {
    const uint8_t *at = publish->body + 2 + get16(publish->body);
    if (publish->flags & 6) {
        *id = get16(at);
        at += 2;
    }
    if (version == MQTT_5) at += 1 + *at; /* properties: fewer than 128 bytes of them come back to us */
    return at;
}

#endif
