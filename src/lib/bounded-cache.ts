/**
 * A map that forgets everything when it is full. For results that are cheap enough to compute again, and
 * keys that are nearly always few: simpler and faster than exact least-recently-used order.
 */
export class BoundedCache<K, V> {
  private readonly entries = new Map<K, V>();
  private readonly capacity: number;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get(key: K): V | undefined {
    return this.entries.get(key);
  }

  set(key: K, value: V): V {
    if (this.entries.size >= this.capacity) this.entries.clear();
    this.entries.set(key, value);
    return value;
  }

  getOrMake(key: K, make: (key: K) => V): V {
    return this.entries.get(key) ?? this.set(key, make(key));
  }
}
