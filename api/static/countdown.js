// Counts the grace period down. The page says the deadline without it; this adds local time.
"use strict";
(() => {
  const time = document.querySelector("time[data-countdown]");
  const left = time && document.getElementById(time.dataset.countdown);
  if (!left) return;
  const end = new Date(time.dateTime);
  if (Number.isNaN(end.getTime())) return;
  time.textContent = end.toLocaleString(undefined, { dateStyle: "long", timeStyle: "short" });

  const two = (n) => String(n).padStart(2, "0");
  const words = (seconds) => {
    const hours = Math.floor(seconds / 3600);
    const minutes = Math.floor(seconds / 60) % 60;
    const clock = `${two(minutes)}:${two(seconds % 60)}`;
    if (hours >= 48) return `${Math.floor(hours / 24)} days left`;
    return `${hours ? `${hours}:${clock}` : clock} left`;
  };
  const tick = () => {
    const seconds = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    left.textContent = seconds ? words(seconds) : "This time is over; packing may begin now.";
    if (seconds) setTimeout(tick, 1000 - (Date.now() % 1000) + 5);
  };
  tick();
})();
