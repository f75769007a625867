// One JSON job a line in, one JSON answer a line out; nothing ever goes to the network.
import net from 'node:net';
import readline from 'node:readline';

net.Socket.prototype.connect = () => {
  throw new Error('no network here');
};
globalThis.fetch = async url => {
  throw new Error(`no network here: ${url}`);
};

const told = error =>
  [error?.message ?? String(error), ...(error?.errors ?? []).map(told)].join('; ');

// Whether a check holds, and what is said where it does not.
export async function holds(check) {
  try {
    return {verified: true, value: await check()};
  } catch(error) {
    return {verified: false, error: told(error)};
  }
}

export async function serve(jobs) {
  for await (const line of readline.createInterface({input: process.stdin})) {
    const {job, ...given} = JSON.parse(line);
    let answer;
    try {
      answer = {value: (await jobs[job](given)) ?? null};
    } catch(error) {
      answer = {error: told(error)};
    }
    process.stdout.write(JSON.stringify(answer) + '\n');
  }
}
