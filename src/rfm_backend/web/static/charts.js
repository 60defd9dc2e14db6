// Draws the charts of a page with ECharts, in the colours of the theme.
//
// In:  <figure class="chart"> with a .drawing and its figures as JSON in a script element (figure.html).
// Out: a drawing that follows the theme and the width; the table beside it is there without this.
//
// A new kind of chart is a function in KINDS: from figures and colours to ECharts' options.  Texts come
// written by the server; tooltips are drawn (richText), never HTML.
"use strict";

(() => {
  const KINDS = { bars, columns, treemap, lines, flow };
  const TONES = [1, 2, 3, 4, 5];
  const NAMES = [
    "ink", "soft", "line", "paper", "wash", "people", "money", "warn", "good",
    ...TONES.flatMap((tone) => [`tone-${tone}`, `on-tone-${tone}`]),
  ];
  const drawn = new Map();
  // For the marks of a scale, which only the drawing knows.
  const numbers = new Intl.NumberFormat(document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang);

  function bars(figures, colours, width) {
    const fills = [colours.people, colours.money, colours.warn];
    const compact = width < 480;
    return {
      grid: { left: compact ? 118 : 150, right: 56, top: 34, bottom: 4 },
      legend: { top: 0, left: 0, itemWidth: 14, itemHeight: 10, textStyle: { color: colours.ink } },
      xAxis: { type: "value", show: false },
      yAxis: {
        type: "category", inverse: true, data: figures.names,
        axisLine: { show: false }, axisTick: { show: false },
        axisLabel: { color: colours.ink, fontSize: 13, width: compact ? 110 : 142, overflow: "break", lineHeight: 14, interval: 0 },
      },
      tooltip: {
        trigger: "axis", axisPointer: { type: "shadow" },
        formatter: (points) => [
          points[0].name,
          ...points.map((one) => `${one.seriesName}: ${figures.texts[one.dataIndex][one.seriesIndex]}`),
        ].join("\n"),
      },
      series: figures.series.map((name, place) => ({
        type: "bar", name, barMaxWidth: 13, barGap: "8%", barCategoryGap: "30%",
        itemStyle: { color: fills[place], borderRadius: 2 },
        label: {
          show: true, position: "right", color: colours.ink, fontSize: 12,
          formatter: (point) => figures.texts[point.dataIndex][place],
        },
        data: figures.values.map((values) => values[place]),
      })),
    };
  }

  // Columns over ranges; the one that is pointed at has its words above it, so that it is found in grey too.
  function columns(figures, colours) {
    const fills = figures.series.length > 1 ? [colours.money, colours.people] : [colours.people];
    const last = figures.names.length - 1;
    const side = figures.mark < last / 3 ? "left" : figures.mark > (2 * last) / 3 ? "right" : "center";
    const mark = figures.mark === null ? undefined : {
      symbol: "none", silent: true, data: [{ xAxis: figures.mark }],
      lineStyle: { color: colours.ink, type: "dashed" },
      label: {
        position: "end", align: side, color: colours.ink, fontSize: 13, fontWeight: 600,
        formatter: () => figures.mark_text,
      },
    };
    return {
      grid: { left: 4, right: 4, top: 44, bottom: 22 },
      legend: {
        show: figures.series.length > 1, top: 0, left: 0, itemWidth: 14, itemHeight: 10,
        textStyle: { color: colours.ink },
      },
      xAxis: {
        type: "category", data: figures.ticks, axisTick: { show: false },
        axisLine: { lineStyle: { color: colours.soft } },
        axisLabel: { color: colours.ink, fontSize: 11, hideOverlap: true },
      },
      yAxis: { type: "value", show: false },
      tooltip: {
        trigger: "axis", axisPointer: { type: "shadow" },
        formatter: (points) => [
          figures.names[points[0].dataIndex],
          ...points.map((one) => `${one.seriesName}: ${figures.texts[one.dataIndex][one.seriesIndex]}`),
        ].join("\n"),
      },
      series: figures.series.map((name, place) => ({
        type: "bar", name, barGap: "0%", barCategoryGap: "18%",
        itemStyle: { color: fills[place], borderRadius: [2, 2, 0, 0] },
        markLine: mark,
        data: figures.values.map((values, index) => (index === figures.mark
          ? { value: values[place], itemStyle: { color: colours.money } } : values[place])),
      })),
    };
  }

  function treemap(figures, colours) {
    return {
      tooltip: { formatter: (one) => `${one.name}\n${one.data.text}\n${one.data.note}` },
      series: [{
        type: "treemap", left: 0, top: 0, width: "100%", height: "100%", roam: false, nodeClick: false,
        breadcrumb: { show: false },
        itemStyle: { borderColor: colours.paper, borderWidth: 0, gapWidth: 3 },
        emphasis: { itemStyle: { borderColor: colours.ink } },
        label: {
          position: [0, 0], padding: 8, fontSize: 13, lineHeight: 17, overflow: "truncate", ellipsis: "…",
          formatter: (one) => `${one.name}\n${one.data.text}`,
        },
        // A tile too narrow for a word has none: its label is laid where nothing is drawn, and its tip tells.
        labelLayout: (one) => (one.rect.width < 76 || one.rect.height < 28 ? { x: -999, y: -999 } : {}),
        data: figures.tiles.map((tile) => ({
          ...tile,
          itemStyle: { color: colours[`tone-${tile.tone}`] },
          label: { color: colours[`on-tone-${tile.tone}`] },
          emphasis: { label: { color: colours[`on-tone-${tile.tone}`] } },
        })),
      }],
    };
  }

  // A panel for each curve, because each has a scale of its own; what was chosen is a full dot on a line.
  function lines(figures, colours, width) {
    const columns = width < 480 ? 1 : 2;
    const across = 100 / columns, down = 100 / Math.ceil(figures.lines.length / columns);
    const place = (index) => ({ column: index % columns, row: Math.floor(index / columns) });
    return {
      title: figures.lines.map((line, index) => ({
        text: line.name, left: `${place(index).column * across + 1}%`, top: `${place(index).row * down + 1}%`, padding: 0,
        textStyle: { color: colours.ink, fontSize: 13, fontWeight: 600 },
      })),
      grid: figures.lines.map((line, index) => ({
        left: `${place(index).column * across + (columns === 1 ? 14 : 7)}%`, width: `${across - (columns === 1 ? 18 : 10)}%`,
        top: `${place(index).row * down + 8}%`, height: `${down - 15}%`,
      })),
      xAxis: figures.lines.map((line, index) => ({
        type: "category", gridIndex: index, data: figures.names, boundaryGap: true,
        axisLine: { lineStyle: { color: colours.line } }, axisTick: { show: false },
        axisLabel: { color: colours.soft, fontSize: 11, margin: 5, interval: 0 },
      })),
      yAxis: figures.lines.map((line, index) => ({
        type: "value", gridIndex: index, scale: true, splitNumber: 2,
        axisLabel: { color: colours.soft, fontSize: 11, formatter: (value) => numbers.format(value) }, splitLine: { lineStyle: { color: colours.line } },
      })),
      tooltip: {
        trigger: "axis", axisPointer: { type: "line" },
        formatter: (points) => {
          const at = points[0].dataIndex;
          return [`${figures.head}: ${figures.names[at]}`, ...figures.lines.map((line) => `${line.name}: ${line.texts[at]}`)].join("\n");
        },
      },
      axisPointer: { link: [{ xAxisIndex: "all" }] },
      series: figures.lines.map((line, index) => ({
        type: "line", name: line.name, xAxisIndex: index, yAxisIndex: index, showSymbol: true,
        lineStyle: { color: colours.people, width: 2 },
        data: line.values.map((value, at) => ({
          value, symbol: at === figures.chosen ? "circle" : "emptyCircle", symbolSize: at === figures.chosen ? 12 : 6,
          itemStyle: { color: at === figures.chosen ? colours.money : colours.people },
        })),
      })),
    };
  }

  // Who stays is drawn in the colour of people, who moves in that of money, which is darker in grey too.
  function flow(figures, colours, width) {
    const compact = width < 480, room = compact ? 96 : 150;
    const names = (side) => [...new Set(figures.flows.map((one) => one[side]))];
    const node = (depth) => (name) => ({
      name: `${depth}${name}`, depth, itemStyle: { color: colours.ink },
      label: { formatter: name, position: depth ? "right" : "left" },
    });
    return {
      tooltip: {
        trigger: "item",
        formatter: (one) => one.dataType === "edge"
          ? `${one.data.source.slice(1)} → ${one.data.target.slice(1)}\n${one.data.text}`
          : `${figures.heads[one.data.depth]}: ${one.name.slice(1)}`,
      },
      series: [{
        type: "sankey", left: room, right: room, top: 10, bottom: 10, nodeWidth: 8, nodeGap: compact ? 9 : 12,
        draggable: false, layoutIterations: 24, emphasis: { focus: "adjacency" },
        label: { color: colours.ink, fontSize: compact ? 11 : 12.5, width: room - 10, overflow: "break", lineHeight: 13 },
        data: [...names(0).map(node(0)), ...names(1).map(node(1))],
        links: figures.flows.map(([before, after, value, text]) => ({
          source: `0${before}`, target: `1${after}`, value, text,
          lineStyle: { color: before === after ? colours.people : colours.money, opacity: before === after ? .35 : .6 },
        })),
      }],
    };
  }

  // A custom property keeps its text, light-dark() and all; as a colour of an element it is worked out.
  function themeColours() {
    const probe = document.createElement("i");
    document.body.append(probe);
    const found = Object.fromEntries(NAMES.map((name) => {
      probe.style.color = `var(--${name})`;
      return [name, getComputedStyle(probe).color];
    }));
    probe.remove();
    return found;
  }

  function draw(figure, colours) {
    const place = figure.querySelector(".drawing");
    const figures = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
    let chart = drawn.get(figure);
    if (!chart) {
      chart = echarts.init(place, null, { renderer: "canvas" });
      drawn.set(figure, chart);
      chart.on("click", (one) => { if (one.data?.address) location.assign(one.data.address); });
      new ResizeObserver(() => { chart.resize(); draw(figure, themeColours()); }).observe(place);
    }
    const options = KINDS[figures.kind](figures, colours, place.clientWidth);
    chart.setOption({
      animation: false,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: colours.ink },
      ...options,
      tooltip: {
        renderMode: "richText", confine: true, backgroundColor: colours.paper, borderColor: colours.line,
        textStyle: { color: colours.ink }, ...options.tooltip,
      },
    }, true);
    figure.dataset.drawn = "true";
  }

  function drawAll() {
    for (const [figure, chart] of drawn) {
      if (!figure.isConnected) { chart.dispose(); drawn.delete(figure); }
    }
    const colours = themeColours();
    for (const figure of document.querySelectorAll("figure.chart")) draw(figure, colours);
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  document.addEventListener("htmx:after:swap", drawAll);
  drawAll();
})();
