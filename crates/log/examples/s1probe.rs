use std::collections::BTreeMap;
fn main() {
    let folder = std::env::args().nth(1).unwrap();
    let out = std::env::args().nth(2).unwrap();
    let seg: usize = std::env::args().nth(3).unwrap().parse().unwrap();
    let db = sled::Config::new().path(&folder).cache_capacity(8 << 20).segment_size(128 << 10).flush_every_ms(None).open().unwrap();
    let mut sizes: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let new = sled::Config::new().path(&out).cache_capacity(8 << 20).segment_size(seg).flush_every_ms(None).open().unwrap();
    let mut batch = sled::Batch::default();
    let mut n = 0;
    for e in db.iter() {
        let (k, v) = e.unwrap();
        let key = String::from_utf8_lossy(&k).into_owned();
        let p = key.split('/').next().unwrap().to_owned();
        let s = sizes.entry(p).or_default();
        s.0 += 1; s.1 += k.len() + v.len();
        if v.len() > 20000 { println!("{} {}", key, v.len()); }
        n += k.len() + v.len();
        batch.insert(k, v);
        if n > 1 << 20 { new.apply_batch(std::mem::take(&mut batch)).unwrap(); n = 0; }
    }
    new.apply_batch(batch).unwrap();
    new.flush().unwrap();
    println!("{sizes:?}");
}
