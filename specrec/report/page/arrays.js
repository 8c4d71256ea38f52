// The other half of packing.py: base64, deflate, 16-bit levels. Values are offset + step * level.

const NOTHING = 65535;

async function unpackBytes(packed) {
  const text = atob(packed.data);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function unpackLevels(packed) {
  const bytes = await unpackBytes(packed);
  const count = bytes.length / 2;
  const levels = new Uint16Array(count);
  for (let i = 0; i < count; i++) levels[i] = bytes[i] | (bytes[count + i] << 8);
  return levels;
}

// A cube: value(pixel, band), with pixel = row * columns + column of what is kept.
async function unpackCube(packed) {
  const levels = await unpackLevels(packed);
  const [rows, columns, bands] = packed.shape;
  for (let first = 0; first < rows * columns * bands; first += bands) {
    for (let i = first + 1; i < first + bands; i++) levels[i] += levels[i - 1]; // modulo 65536
  }
  return { step: packed.step, value: (pixel, band) => packed.offset + packed.step * levels[pixel * bands + band] };
}

async function unpackMap(packed) {
  const levels = await unpackLevels(packed);
  return (pixel) => (levels[pixel] === NOTHING ? NaN : packed.offset + packed.step * levels[pixel]);
}

// Everything of one scene, unpacked once and remembered while it is shown.
async function unpackScene(scene) {
  const cubes = await Promise.all(scene.cubes.map(async (cube) => {
    const names = Object.keys(cube.maps);
    const [rgb, valid, values, ...maps] = await Promise.all([
      unpackBytes(cube.rgb), unpackBytes(cube.valid), unpackCube(cube.values), ...names.map((name) => unpackMap(cube.maps[name])),
    ]);
    return { ...cube, rgb, valid, values, maps: Object.fromEntries(names.map((name, i) => [name, maps[i]])) };
  }));
  return { ...scene, rows: scene.size[0], columns: scene.size[1], cubes };
}
