/*
 * The floor of the benchmark: the same sockets and the same bytes as a node, and no database behind them. What a node
 * costs above this is what its own code costs. One epoll loop per thread, one receive per ready connection, all complete
 * messages answered with one send; replies are built once, before the first request.
 *
 *   floor --port 22100 [--value-size 100] [--records 1000000] [--threads 1] [--file records.dat]
 *
 * A read answers one bin `b`, a write a bare header, a batch one record per key, a query its share of --records by the
 * partitions that it asks for.
 *
 * With --file it is the floor of a server that reads devices by waiting for them, as most do. The file is made and written
 * before the port opens: --records images of a value and some 48 bytes, packed. A read waits in pread, past the page cache,
 * for the pages in which the key's image lies, and answers with bytes from them: no index, no checksum. A write
 * reads the image as well, since it leaves other bins as they are, and is copied into the thread's own buffer; who fills it
 * waits until it is written over the next megabyte of the file: no defragmentation, no sync. Batches and queries stay in memory.
 *
 * While a thread waits it serves nobody, so --threads is how many reads the device sees at once. Connections are dealt to
 * the threads in turn, and each thread takes many ready ones from one epoll_wait: under load a read costs one sleep, that of
 * pread. A thread for each connection (--threads as many) sleeps twice, and costs more.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	PROTO_LENGTH = 8, HEADER_LENGTH = 22, TYPE_INFO = 1, TYPE_MESSAGE = 3,
	INFO1_BATCH = 8, INFO2_WRITE = 1, INFO3_LAST = 1,
	FIELD_DIGEST = 4, FIELD_PARTITIONS = 11, FIELD_BATCH = 41, PARTITIONS = 4096,
	RECEIVE_MAX = 256 * 1024, FRAME_MAX = 128 * 1024, BATCH_MAX = 20000, EVENTS_MAX = 256, THREADS_MAX = 1024,
	PAGE = 4096, IMAGE_OVERHEAD = 48, IMAGE_UNIT = 16, FLUSH_LENGTH = 1024 * 1024,
};

typedef struct { uint8_t *bytes; size_t length; } bytes_t;

typedef struct {
	int file;
	size_t filled;
	uint64_t records_left; /* of a query in progress */
	uint8_t *waiting;      /* what the peer did not take yet */
	size_t waiting_length, waiting_sent;
	uint8_t received[RECEIVE_MAX];
} connection_t;

typedef struct { /* one per thread: grows to the largest answer to one receive, and stays */
	int epoll;
	bytes_t out;
	size_t out_capacity;
	uint8_t *pages;        /* for one read of the file */
	uint8_t *unwritten;    /* FLUSH_LENGTH bytes of images that are not in the file yet */
	size_t unwritten_length;
} loop_t;

static int port = 22100;
static size_t value_size = 100;
static uint64_t records = 1000000;
static bytes_t read_reply, write_reply, info_reply, batch_record, query_record, last_record, query_frame;
static uint64_t records_per_frame;
static loop_t loops[THREADS_MAX];
static int threads = 1;
static int file = -1;          /* of the records; -1: they are in memory */
static uint64_t image_length;
static int listener;
static _Atomic uint64_t flushes;

static void die(const char *what)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint16_t load16(const uint8_t *at) { uint16_t v; memcpy(&v, at, 2); return be16toh(v); }
static uint32_t load32(const uint8_t *at) { uint32_t v; memcpy(&v, at, 4); return be32toh(v); }
static uint64_t load64(const uint8_t *at) { uint64_t v; memcpy(&v, at, 8); return be64toh(v); }
static void store16(uint8_t *at, uint16_t v) { v = htobe16(v); memcpy(at, &v, 2); }
static void store32(uint8_t *at, uint32_t v) { v = htobe32(v); memcpy(at, &v, 4); }

static void store_proto(uint8_t *at, int type, uint64_t length)
{
	uint64_t v = htobe64((uint64_t)2 << 56 | (uint64_t)type << 48 | length);
	memcpy(at, &v, 8);
}

static void append_header(bytes_t *to, int info3, int fields, int operations)
{
	uint8_t *at = to->bytes + to->length;
	memset(at, 0, HEADER_LENGTH);
	at[0] = HEADER_LENGTH;
	at[3] = (uint8_t)info3;
	store32(at + 6, 1); /* generation */
	store16(at + 18, (uint16_t)fields);
	store16(at + 20, (uint16_t)operations);
	to->length += HEADER_LENGTH;
}

static void append_field(bytes_t *to, int type, const void *data, size_t length)
{
	uint8_t *at = to->bytes + to->length;
	store32(at, (uint32_t)length + 1);
	at[4] = (uint8_t)type;
	memcpy(at + 5, data, length);
	to->length += 5 + length;
}

static void append_bin(bytes_t *to)
{
	uint8_t *at = to->bytes + to->length;
	store32(at, (uint32_t)(4 + 1 + value_size));
	at[4] = 1; /* read */
	at[5] = 3; /* string */
	at[6] = 0;
	at[7] = 1;
	at[8] = 'b';
	memset(at + 9, 'v', value_size);
	to->length += 9 + value_size;
}

static bytes_t allocate(size_t capacity)
{
	bytes_t bytes = { malloc(capacity), 0 };
	if (bytes.bytes == NULL) {
		die("memory");
	}
	return bytes;
}

static void build_replies(void)
{
	uint8_t digest[20] = { 0 };
	size_t record_max = HEADER_LENGTH + 256 + value_size;

	batch_record = allocate(record_max);
	append_header(&batch_record, 0, 0, 1);
	append_bin(&batch_record);

	query_record = allocate(record_max);
	append_header(&query_record, 0, 3, 1);
	append_field(&query_record, 0, "test", 4);
	append_field(&query_record, 1, "bench", 5);
	append_field(&query_record, 4, digest, sizeof digest);
	append_bin(&query_record);

	last_record = allocate(HEADER_LENGTH);
	append_header(&last_record, INFO3_LAST, 0, 0);

	read_reply = allocate(PROTO_LENGTH + record_max);
	store_proto(read_reply.bytes, TYPE_MESSAGE, batch_record.length);
	memcpy(read_reply.bytes + PROTO_LENGTH, batch_record.bytes, batch_record.length);
	read_reply.length = PROTO_LENGTH + batch_record.length;

	write_reply = allocate(PROTO_LENGTH + HEADER_LENGTH);
	write_reply.length = PROTO_LENGTH;
	store_proto(write_reply.bytes, TYPE_MESSAGE, HEADER_LENGTH);
	append_header(&write_reply, 0, 0, 0);

	static const char info[] = "node\tF100A\n";
	info_reply = allocate(PROTO_LENGTH + sizeof info);
	store_proto(info_reply.bytes, TYPE_INFO, sizeof info - 1);
	memcpy(info_reply.bytes + PROTO_LENGTH, info, sizeof info - 1);
	info_reply.length = PROTO_LENGTH + sizeof info - 1;

	records_per_frame = FRAME_MAX / query_record.length + 1;
	query_frame = allocate(PROTO_LENGTH + records_per_frame * query_record.length);
	store_proto(query_frame.bytes, TYPE_MESSAGE, records_per_frame * query_record.length);
	query_frame.length = PROTO_LENGTH;
	for (uint64_t i = 0; i < records_per_frame; i++) {
		memcpy(query_frame.bytes + query_frame.length, query_record.bytes, query_record.length);
		query_frame.length += query_record.length;
	}
}

static uint8_t *reserve(loop_t *loop, size_t length)
{
	if (loop->out.length + length > loop->out_capacity) {
		loop->out_capacity = (loop->out.length + length) * 2;
		loop->out.bytes = realloc(loop->out.bytes, loop->out_capacity);
		if (loop->out.bytes == NULL) {
			die("memory");
		}
	}
	uint8_t *at = loop->out.bytes + loop->out.length;
	loop->out.length += length;
	return at;
}

static void reply(loop_t *loop, const bytes_t *with)
{
	memcpy(reserve(loop, with->length), with->bytes, with->length);
}

static void reply_records(loop_t *loop, const bytes_t *record, uint64_t count, int is_batch)
{
	uint64_t length = count * record->length + HEADER_LENGTH;
	uint8_t *at = reserve(loop, PROTO_LENGTH + length);
	store_proto(at, TYPE_MESSAGE, length);
	at += PROTO_LENGTH;
	for (uint64_t i = 0; i < count; i++, at += record->length) {
		memcpy(at, record->bytes, record->length);
		if (is_batch) {
			store32(at + 14, (uint32_t)i);
		}
	}
	memcpy(at, last_record.bytes, HEADER_LENGTH);
}

/* Finds a field; NULL when the message has none such, or is not well formed. */
static const uint8_t *find_field(const uint8_t *message, size_t length, int type, size_t *field_length)
{
	size_t at = HEADER_LENGTH;
	for (int left = load16(message + 18); left > 0 && at + 5 <= length; left--) {
		uint32_t size = load32(message + at);
		if (size == 0 || size > length - at - 4) {
			return NULL;
		}
		if (message[at + 4] == type) {
			*field_length = size - 1;
			return message + at + 5;
		}
		at += 4 + (size_t)size;
	}
	return NULL;
}

/* ---- records in a file ---- */

static uint8_t *pages(size_t length)
{
	uint8_t *bytes = aligned_alloc(PAGE, (length + PAGE - 1) / PAGE * PAGE);
	if (bytes == NULL) {
		die("memory");
	}
	memset(bytes, 'v', length);
	return bytes;
}

static uint64_t flush_count(void) { return (records * image_length + 2 * PAGE) / FLUSH_LENGTH + 1; }

static void write_flush(const uint8_t *bytes, uint64_t number)
{
	for (size_t done = 0; done < FLUSH_LENGTH; ) {
		ssize_t n = pwrite(file, bytes + done, FLUSH_LENGTH - done, (off_t)(number * FLUSH_LENGTH + done));
		if (n <= 0 && errno != EINTR) {
			die("cannot write the file");
		}
		done += n > 0 ? (size_t)n : 0;
	}
}

/* Every byte is written: what is only allocated would be read without the device. */
static void make_file(const char *path)
{
	image_length = (value_size + IMAGE_OVERHEAD + IMAGE_UNIT - 1) / IMAGE_UNIT * IMAGE_UNIT;
	file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_DIRECT | O_CLOEXEC, 0600);
	if (file < 0) {
		die(errno == EINVAL ? "this file system has no direct I/O" : path);
	}
	if ((errno = posix_fallocate(file, 0, (off_t)(flush_count() * FLUSH_LENGTH))) != 0) {
		die("cannot allocate the file");
	}
	uint8_t *bytes = pages(FLUSH_LENGTH);
	for (uint64_t i = 0; i < flush_count(); i++) {
		write_flush(bytes, i);
	}
	free(bytes);
	if (fdatasync(file) < 0) {
		die("cannot sync the file");
	}
}

/* Waits for the key's image; NULL when the message names no key. */
static const uint8_t *read_image(loop_t *loop, const uint8_t *message, size_t length)
{
	size_t digest_length = 0;
	const uint8_t *digest = find_field(message, length, FIELD_DIGEST, &digest_length);
	if (digest == NULL || digest_length != 20) {
		return NULL;
	}
	uint64_t at = load64(digest + 8) % records * image_length, start = at / PAGE * PAGE;
	size_t wanted = (size_t)((at + image_length + PAGE - 1) / PAGE * PAGE - start);
	for (size_t done = 0; done < wanted; ) {
		ssize_t n = pread(file, loop->pages + done, wanted - done, (off_t)(start + done));
		if (n <= 0 && errno != EINTR) {
			die("cannot read the file");
		}
		done += n > 0 ? (size_t)n : 0;
	}
	return loop->pages + (at - start);
}

static int read_from_file(loop_t *loop, const uint8_t *message, size_t length)
{
	const uint8_t *image = read_image(loop, message, length);
	if (image == NULL) {
		return -1;
	}
	size_t before = read_reply.length - value_size;
	uint8_t *to = reserve(loop, read_reply.length);
	memcpy(to, read_reply.bytes, before);
	memcpy(to + before, image + IMAGE_OVERHEAD, value_size);
	return 0;
}

static int write_to_file(loop_t *loop, const uint8_t *message, size_t length)
{
	if (read_image(loop, message, length) == NULL) {
		return -1;
	}
	size_t taken = length < image_length ? length : image_length;
	if (loop->unwritten_length + image_length > FLUSH_LENGTH) {
		write_flush(loop->unwritten, atomic_fetch_add(&flushes, 1) % flush_count());
		loop->unwritten_length = 0;
	}
	memcpy(loop->unwritten + loop->unwritten_length, message, taken);
	loop->unwritten_length += image_length;
	reply(loop, &write_reply);
	return 0;
}

/* ---- messages ---- */

static int answer(loop_t *loop, connection_t *connection, const uint8_t *message, size_t length, int type)
{
	size_t field_length = 0;
	const uint8_t *field;
	if (type == TYPE_INFO) {
		reply(loop, &info_reply);
	} else if (type != TYPE_MESSAGE || length < HEADER_LENGTH) {
		return -1;
	} else if (message[1] & INFO1_BATCH) {
		field = find_field(message, length, FIELD_BATCH, &field_length);
		if (field == NULL || field_length < 5 || load32(field) > BATCH_MAX) {
			return -1;
		}
		reply_records(loop, &batch_record, load32(field), 1);
	} else if (message[2] & INFO2_WRITE) {
		if (file >= 0) {
			return write_to_file(loop, message, length);
		}
		reply(loop, &write_reply);
	} else if ((field = find_field(message, length, FIELD_PARTITIONS, &field_length)) != NULL) {
		connection->records_left = records * (field_length / 2) / PARTITIONS + 1; /* the end is counted like a record */
	} else if (file >= 0) {
		return read_from_file(loop, message, length);
	} else {
		reply(loop, &read_reply);
	}
	return 0;
}

/* Answers every complete message; the rest of an incomplete one moves to the front. */
static int answer_all(loop_t *loop, connection_t *connection)
{
	size_t at = 0;
	while (connection->filled - at >= PROTO_LENGTH) {
		uint64_t proto = load64(connection->received + at);
		uint64_t length = proto & 0xFFFFFFFFFFFF;
		if (proto >> 56 != 2 || length > RECEIVE_MAX - PROTO_LENGTH) {
			return -1;
		}
		if (connection->filled - at - PROTO_LENGTH < length) {
			break;
		}
		if (answer(loop, connection, connection->received + at + PROTO_LENGTH, length, (uint8_t)(proto >> 48)) < 0) {
			return -1;
		}
		at += PROTO_LENGTH + length;
	}
	connection->filled -= at;
	if (connection->filled > 0 && at > 0) {
		memmove(connection->received, connection->received + at, connection->filled);
	}
	return 0;
}

static void watch(loop_t *loop, connection_t *connection, int operation, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = connection };
	if (epoll_ctl(loop->epoll, operation, connection->file, &event) < 0) {
		die("epoll_ctl");
	}
}

/* 1: all gone, 0: the peer must read first, -1: broken. */
static int send_out(loop_t *loop, connection_t *connection, const uint8_t *bytes, size_t length)
{
	size_t sent = 0;
	while (sent < length) {
		ssize_t n = send(connection->file, bytes + sent, length - sent, MSG_NOSIGNAL);
		if (n >= 0) {
			sent += (size_t)n;
			continue;
		}
		if (errno != EAGAIN) {
			return -1;
		}
		connection->waiting_length = length - sent;
		connection->waiting_sent = 0;
		connection->waiting = malloc(connection->waiting_length);
		if (connection->waiting == NULL) {
			die("memory");
		}
		memcpy(connection->waiting, bytes + sent, connection->waiting_length);
		watch(loop, connection, EPOLL_CTL_MOD, EPOLLOUT);
		return 0;
	}
	return 1;
}

/* Sends whole frames of the query while the peer takes them, then the rest and the end. */
static int pump_query(loop_t *loop, connection_t *connection)
{
	while (connection->records_left > 0) {
		int state;
		if (connection->records_left > records_per_frame) {
			connection->records_left -= records_per_frame;
			state = send_out(loop, connection, query_frame.bytes, query_frame.length);
		} else {
			loop->out.length = 0;
			reply_records(loop, &query_record, connection->records_left - 1, 0);
			connection->records_left = 0;
			state = send_out(loop, connection, loop->out.bytes, loop->out.length);
		}
		if (state <= 0) {
			return state;
		}
	}
	return 1;
}

static int drain(loop_t *loop, connection_t *connection)
{
	while (connection->waiting_sent < connection->waiting_length) {
		ssize_t n = send(connection->file, connection->waiting + connection->waiting_sent,
			connection->waiting_length - connection->waiting_sent, MSG_NOSIGNAL);
		if (n < 0) {
			return errno == EAGAIN ? 0 : -1;
		}
		connection->waiting_sent += (size_t)n;
	}
	free(connection->waiting);
	connection->waiting = NULL;
	watch(loop, connection, EPOLL_CTL_MOD, EPOLLIN);
	return pump_query(loop, connection);
}

static int serve(loop_t *loop, connection_t *connection)
{
	ssize_t n = recv(connection->file, connection->received + connection->filled, RECEIVE_MAX - connection->filled, 0);
	if (n <= 0) {
		return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
	}
	connection->filled += (size_t)n;
	loop->out.length = 0;
	if (answer_all(loop, connection) < 0) {
		return -1;
	}
	int state = loop->out.length > 0 ? send_out(loop, connection, loop->out.bytes, loop->out.length) : 1;
	return state > 0 ? pump_query(loop, connection) : state;
}

/* Deals the new connections to the threads in turn. */
static void accept_all(void)
{
	static int next;
	int peer;
	while ((peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		int on = 1;
		setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		connection_t *connection = malloc(sizeof *connection);
		if (connection == NULL) {
			die("memory");
		}
		memset(connection, 0, offsetof(connection_t, received));
		connection->file = peer;
		watch(&loops[next], connection, EPOLL_CTL_ADD, EPOLLIN);
		next = (next + 1) % threads;
	}
}

static void open_port(void)
{
	int on = 1;
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 4096) < 0) {
		die("listen");
	}
	if (epoll_ctl(loops[0].epoll, EPOLL_CTL_ADD, listener, &event) < 0) {
		die("epoll_ctl");
	}
}

/* Of one thread; the listener is with the first. */
static void *run(void *own)
{
	loop_t *loop = own;
	struct epoll_event events[EVENTS_MAX];
	for (;;) {
		int count = epoll_wait(loop->epoll, events, EVENTS_MAX, -1);
		for (int i = 0; i < count; i++) {
			connection_t *connection = events[i].data.ptr;
			if (connection == NULL) {
				accept_all();
			} else if ((connection->waiting != NULL ? drain(loop, connection) : serve(loop, connection)) < 0) {
				close(connection->file);
				free(connection->waiting);
				free(connection);
			}
		}
	}
	return NULL;
}

static void open_loops(void)
{
	for (int i = 0; i < threads; i++) {
		loops[i].epoll = epoll_create1(EPOLL_CLOEXEC);
		if (loops[i].epoll < 0) {
			die("epoll_create");
		}
		if (file >= 0) {
			loops[i].pages = pages(image_length + 2 * PAGE);
			loops[i].unwritten = pages(FLUSH_LENGTH);
		}
	}
}

int main(int count, char **arguments)
{
	static const struct option options[] = {
		{ "port", required_argument, NULL, 'p' }, { "value-size", required_argument, NULL, 'v' },
		{ "records", required_argument, NULL, 'r' }, { "threads", required_argument, NULL, 't' },
		{ "file", required_argument, NULL, 'f' }, { 0 } };
	const char *path = NULL;
	int option;
	while ((option = getopt_long(count, arguments, "", options, NULL)) >= 0) {
		switch (option) {
		case 'p': port = atoi(optarg); break;
		case 'v': value_size = (size_t)atol(optarg); break;
		case 'r': records = (uint64_t)atoll(optarg); break;
		case 't': threads = atoi(optarg); break;
		case 'f': path = optarg; break;
		default: return 2;
		}
	}
	if (threads < 1 || threads > THREADS_MAX || records == 0 || (path != NULL && value_size > FLUSH_LENGTH / 2)) {
		fprintf(stderr, "floor: --threads 1 to %d, --records 1 or more, --value-size up to %d with --file\n",
			THREADS_MAX, FLUSH_LENGTH / 2);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	build_replies();
	if (path != NULL) {
		make_file(path);
	}
	open_loops();
	open_port();
	for (int i = 1; i < threads; i++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, run, &loops[i]) != 0) {
			die("thread");
		}
	}
	run(&loops[0]);
}
