// The words of the page in two languages. What the library says (fields, errors) is English.
const WORDS = {
  en: {
    studio: "studio", docs: "HTTP interface", "tab.draw": "Aftermath", "tab.assess": "Assess", "tab.sets": "Data sets",
    scene: "Scene", "scene.samples": "Samples", "scene.own": "Your own image", "scene.open": "Open",
    "scene.image": "Image before the disaster (GeoTIFF, PNG, JPEG)",
    "scene.footprints": "Building footprints (GeoJSON, GeoPackage, GeoParquet, xBD JSON)",
    "scene.both": "choose an image and its footprints", "scene.said": "{n} buildings, {w} × {h} pixels",
    hazard: "Hazard", "hazard.kind": "Kind", "hazard.severity": "Severity", "hazard.seed": "Seed",
    "hazard.fields": "All settings, with units", "hazard.say": "In words (or leave empty)",
    "hazard.example": "the northern third is flooded", "hazard.drawn": "empty: drawn from the seed", "hazard.means": "Understood: {s}",
    after: "Aftermath", "after.mode": "Mode", "after.edit": "Change only what is damaged", "after.reacquire": "As taken on another day",
    "after.go": "Draw the aftermath", "after.cancel": "Cancel", "after.resume": "Go on",
    "state.waiting": "Waiting: {n} before you", "state.running": "Drawing", "state.step": "Drawing: step {n}", "state.ready": "Loading the model",
    "state.done": "Done", "state.failed": "Failed: {s}", "state.cancelled": "Cancelled", "state.interrupted": "Interrupted when the studio ended; it can go on",
    "state.of": "{n} of {m}",
    "stage.field": "Show the intensity of the hazard", "stage.most": "strongest: {n} {u}", "stage.map": "Footprints with levels: {s}",
    result: "Before and after", "result.table": "Each building: asked, and what the detector sees", before: "before", synthetic: "after (synthetic)",
    divider: "Divider: before on the left, after on the right", building: "building", asked: "asked", found: "detector sees", chance: "probability",
    "no-damage": "no damage", "minor-damage": "minor", "major-damage": "major", destroyed: "destroyed", "un-classified": "not seen", "not-assessed": "not assessed",
    "file.pair.zip": "Pair (zip)", "file.labels.json": "Labels (xBD JSON)", "file.buildings.gpkg": "GeoPackage", "file.cog.zip": "Cloud-optimised GeoTIFF (zip)",
    "file.damage.gpkg": "GeoPackage", "file.damage.qml": "QGIS style", "file.damage.html": "Map (HTML)",
    "assess.what": "The damage level of each building, from a real image before and one after on the same pixel grid.",
    "assess.pre": "Image before", "assess.post": "Image after", "assess.footprints": "Building footprints", "assess.go": "Assess",
    "assess.map": "Map of the assessment", "assess.three": "choose two images and the footprints", "state.assess": "Assessing",
    "sets.new": "Build a new set", "sets.name": "Name", "sets.count": "Pairs", "sets.of": "From", "sets.samples": "all samples", "sets.scene": "the scene of Aftermath",
    "sets.go": "Build", "sets.level": "With level", "sets.region": "Region", "sets.stats": "Statistics", "sets.more": "More", "sets.all": "all",
    "sets.none": "No set yet: build one, or start the studio with --gbd FOLDER.", "sets.chosen": "Pairs: {n}", "sets.show": "Show", "sets.one": "choose at least one hazard",
    "tab.learn": "Learn", "tab.compare": "Compare", "learn.noise": "Noise level", "learn.steps": "Steps", "learn.guidance": "Guidance", "learn.sampler": "Sampler",
    "learn.what": "Points walk from noise to the upper crescent under an exact denoiser. Guidance pushes them away from the lower one.",
    "learn.play": "Play the steps", "learn.lessons": "Lessons", "learn.seen": "{n} points after {m} steps",
    "learn.none": "None given: run `afterscene course run all --out course`, then start the studio with --pages course.",
    "compare.none": "None given: start the studio with --pages and the folder of `afterscene compare`.",
    "compare.what": "Reports of experiments: what synthetic pairs were worth to a detector.",
    paint: "Set levels by hand: choose one, then click a building or paint over an area", "paint.off": "off", "paint.clear": "Back to the hazard", water: "water",
    footer: "Every image that is drawn here is synthetic and says so. Do not pass it off as real.",
  },
  zh: {
    studio: "工作室", docs: "HTTP 接口", "tab.draw": "灾后图像", "tab.assess": "损毁评估", "tab.sets": "数据集",
    scene: "场景", "scene.samples": "示例", "scene.own": "您自己的影像", "scene.open": "打开",
    "scene.image": "灾前影像（GeoTIFF、PNG、JPEG）", "scene.footprints": "建筑物轮廓（GeoJSON、GeoPackage、GeoParquet、xBD JSON）",
    "scene.both": "请选择影像及其建筑物轮廓", "scene.said": "{n} 栋建筑，{w} × {h} 像素",
    hazard: "灾害", "hazard.kind": "类型", "hazard.severity": "强度", "hazard.seed": "随机种子",
    "hazard.fields": "全部参数（含单位）", "hazard.say": "用一句话描述（可留空）",
    "hazard.example": "北部三分之一被淹", "hazard.drawn": "留空：由随机种子决定", "hazard.means": "理解为：{s}",
    after: "灾后图像", "after.mode": "方式", "after.edit": "只改变受损处", "after.reacquire": "如同另一天拍摄",
    "after.go": "生成灾后图像", "after.cancel": "取消", "after.resume": "继续",
    "state.waiting": "等待中：前面还有 {n} 个", "state.running": "正在生成", "state.step": "正在生成：第 {n} 步", "state.ready": "正在载入模型",
    "state.done": "完成", "state.failed": "失败：{s}", "state.cancelled": "已取消", "state.interrupted": "工作室关闭时被中断，可以继续",
    "state.of": "{n} / {m}",
    "stage.field": "显示灾害强度", "stage.most": "最强处：{n} {u}", "stage.map": "建筑物及其损毁等级：{s}",
    result: "灾前与灾后", "result.table": "每栋建筑：要求的等级与检测器所见", before: "灾前", synthetic: "灾后（合成）",
    divider: "分隔线：左为灾前，右为灾后", building: "建筑", asked: "要求", found: "检测器所见", chance: "概率",
    "no-damage": "无损毁", "minor-damage": "轻微", "major-damage": "严重", destroyed: "毁坏", "un-classified": "不可见", "not-assessed": "未评估",
    "file.pair.zip": "图像对（zip）", "file.labels.json": "标签（xBD JSON）", "file.buildings.gpkg": "GeoPackage", "file.cog.zip": "云优化 GeoTIFF（zip）",
    "file.damage.gpkg": "GeoPackage", "file.damage.qml": "QGIS 样式", "file.damage.html": "地图（HTML）",
    "assess.what": "由同一像素网格上的真实灾前与灾后影像，得到每栋建筑的损毁等级。",
    "assess.pre": "灾前影像", "assess.post": "灾后影像", "assess.footprints": "建筑物轮廓", "assess.go": "评估",
    "assess.map": "评估地图", "assess.three": "请选择两幅影像和建筑物轮廓", "state.assess": "正在评估",
    "sets.new": "新建数据集", "sets.name": "名称", "sets.count": "图像对数", "sets.of": "来源", "sets.samples": "全部示例", "sets.scene": "“灾后图像”中的场景",
    "sets.go": "开始生成", "sets.level": "含等级", "sets.region": "地区", "sets.stats": "统计", "sets.more": "更多", "sets.all": "全部",
    "sets.none": "还没有数据集：请新建一个，或用 --gbd 文件夹 启动工作室。", "sets.chosen": "{n} 对图像", "sets.show": "查看", "sets.one": "请至少选择一种灾害",
    "tab.learn": "学习", "tab.compare": "比较", "learn.noise": "噪声水平", "learn.steps": "步数", "learn.guidance": "引导强度", "learn.sampler": "采样器",
    "learn.what": "在精确的去噪器下，点从噪声走向上方的月牙；引导使它们远离下方的月牙。",
    "learn.play": "逐步播放", "learn.lessons": "课程", "learn.seen": "{n} 个点，{m} 步之后",
    "learn.none": "尚未提供：先运行 afterscene course run all --out course，再用 --pages course 启动工作室。",
    "compare.none": "尚未提供：用 --pages 加 afterscene compare 的输出文件夹启动工作室。",
    "compare.what": "实验报告：合成图像对对检测器有多大价值。",
    paint: "手动设定等级：先选等级，再点击建筑物或涂抹一片区域", "paint.off": "关闭", "paint.clear": "恢复为灾害结果", water: "水",
    footer: "这里生成的每幅图像都是合成的，并带有标记。请勿当作真实图像使用。",
  },
};

let chosen = localStorage.getItem("afterscene.language") || (navigator.language.startsWith("zh") ? "zh" : "en");
export const language = () => chosen;

export function say(key, values = {}) {
  const text = WORDS[chosen][key] ?? WORDS.en[key] ?? key;
  return text.replace(/\{(\w)\}/g, (_, name) => values[name]);
}

export function translate() {
  document.documentElement.lang = chosen;
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = say(node.dataset.t);
  for (const node of document.querySelectorAll("[data-t-label]")) node.setAttribute("aria-label", say(node.dataset.tLabel));
  for (const node of document.querySelectorAll("[data-t-title]")) node.title = say(node.dataset.tTitle);
  for (const node of document.querySelectorAll("[data-t-placeholder]")) node.placeholder = say(node.dataset.tPlaceholder);
}

// The button names the other language in that language.
export function languageButton(button, after) {
  const show = () => {
    translate();
    button.textContent = chosen === "en" ? "中文" : "English";
    button.lang = chosen === "en" ? "zh" : "en";
    after();
  };
  button.addEventListener("click", () => {
    chosen = chosen === "en" ? "zh" : "en";
    localStorage.setItem("afterscene.language", chosen);
    show();
  });
  show();
}
