-- Asks for one of 100,000 paths at a time, and prints what wrk counted as one line of JSON.
request = function()
  return wrk.format("GET", "/item/" .. math.random(1, 100000) .. "?page=" .. math.random(1, 9))
end

done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format('{"requests":%d,"bytes":%d,"microseconds":%d,"errors":%d}\n',
    summary.requests, summary.bytes, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
